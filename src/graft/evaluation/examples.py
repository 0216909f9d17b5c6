"""The test split, and what base and tuned model answer to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from graft.errors import DataError
from graft.evaluation.generation import Completions, Decoding, TextEnds, complete
from graft.evaluation.scoring import Prediction
from graft.io import read_table
from graft.records import Message


@dataclass(frozen=True)
class HeldOut:
    """A conversation whose last turn is the gold answer; `references` are more."""

    id: str
    stratum: str
    messages: list[Message]
    references: list[str]

    @property
    def question(self) -> str:
        """The user's last message, or nothing where a text is just continued."""
        asked = [turn["content"] for turn in self.messages if turn["role"] == "user"]
        return asked[-1] if asked else ""

    @property
    def gold(self) -> list[str]:
        """All right answers, the conversation's own first."""
        return [self.messages[-1]["content"], *self.references]


class PromptTemplate(TextEnds, Protocol):
    """What evaluation needs to know of a prompt template."""

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """Ids that ask for the last answer."""

    def render(self, messages: Sequence[Message]) -> str:
        """The conversation as the model reads it."""


def read_examples(folder: Path, max_examples: int | None) -> list[HeldOut]:
    """Read the test split; past `max_examples`, examples evenly spread over it.

    Raises: DataError if it is missing or empty.
    """
    table = read_table(folder, ["id", "stratum", "messages", "references"])
    if not table.num_rows:
        raise DataError(
            str(folder),
            "the test split is empty",
            expected="examples to measure base and tuned model on",
            fix="set split.test above 0, or name a test file or column in configs/data",
        )
    number = min(max_examples or table.num_rows, table.num_rows)
    chosen = [index * table.num_rows // number for index in range(number)]
    return [HeldOut(**row) for row in table.take(chosen).to_pylist()]


def ask_both(
    base: Any,
    tune: Callable[[Any], Any],
    template: PromptTemplate,
    examples: Sequence[HeldOut],
    decoding: Decoding,
) -> tuple[list[Prediction], Mapping[str, Completions]]:
    """Ask the base model, put the adapter on it, and ask again.

    The base is loaded once and asked before the adapter touches it: what is called
    base is the model without any trace of training.

    Args:
        base: the base model.
        tune: gives the tuned model for the base; may change the base.
    Returns: predictions in the order of examples, and each model's completions.
    """
    prompts = [template.encode_prompt(example.messages) for example in examples]
    costs = {"base": complete(base, template, prompts, decoding, "base")}
    costs["tuned"] = complete(tune(base), template, prompts, decoding, "tuned")
    answers = zip(costs["base"].texts, costs["tuned"].texts, strict=True)
    predictions = [
        Prediction(
            id=example.id,
            stratum=example.stratum,
            prompt=example.question,
            references=example.gold,
            base=answer,
            tuned=tuned,
        )
        for example, (answer, tuned) in zip(examples, answers, strict=True)
    ]
    return predictions, costs
