"""A prompt template whose tokens are letters, and tables of pairs for it."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from graft.config import PromptConfig, TokenizeConfig
from graft.data.tokenize.masks import Tokens, flatten
from graft.data.tokenize.sequences import Rules
from graft.errors import TemplateError
from graft.prompts.forms import RefusedError
from graft.records import EXAMPLE_SCHEMA, Encoded, Message

END = 0


class Letters:
    """Token i is the character i; prompts are not learned, answers are."""

    stop_ids = [END]

    def __init__(self, *, learns_end: bool = True) -> None:
        self.learns_end = learns_end

    def refusal(self, messages: Sequence[Message]) -> str:
        return "" if messages[-1]["role"] == "assistant" else "no answer"

    def to_tokens(self, batch: Sequence[Sequence[Message]]) -> Tokens:
        self._refuse(batch)
        return flatten([self._one(messages) for messages in batch])

    def _refuse(self, batch: Sequence[Sequence[Message]]) -> None:
        error = TemplateError("the template", "drops a turn", fix="mend it")
        refused = {
            row: error
            for row, messages in enumerate(batch)
            if any(message["content"] == "unsayable" for message in messages)
        }
        if refused:
            raise RefusedError(refused)

    def _one(self, messages: Sequence[Message]) -> Encoded:
        ids: list[int] = []
        marks: list[bool] = []
        for message in messages:
            said = message["role"] == "assistant"
            letters = [ord(letter) for letter in message["content"]]
            ids += [*letters, END] if said else letters
            learned = said and message.get("learn") is not False
            marks += [learned] * len(letters) + [learned and self.learns_end] * said
        return Encoded(ids, marks)

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        del start
        return self.show([i for i in ids if i])

    def show(self, ids: Sequence[int]) -> str:
        return "".join(chr(i) if i else "</s>" for i in ids)


def table(pairs: Sequence[tuple[str, str | None]]) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for number, (asked, said) in enumerate(pairs):
        messages = [Message(role="user", content=asked)]
        if said is not None:
            messages.append(Message(role="assistant", content=said))
        rows.append(
            {
                "id": f"id{number}",
                "messages": messages,
                "references": [],
                "group": str(number),
                "stratum": "",
                "split": None,
                "where": f"file:{number}",
            }
        )
    return pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)


def rules(
    max_seq_len: int,
    overlong: Any = "drop",
    *,
    overlap: int = 0,
    learn: Any = "all",
    ways: Sequence[str] = (),
    copies: int = 0,
) -> Rules:
    limits = TokenizeConfig(
        max_seq_len=max_seq_len,
        overlong=overlong,
        overlap=overlap,
        max_cut_answers=0,
        num_shown=2,
    )
    prompt = PromptConfig(
        style="chat",
        pattern=None,
        system=None,
        paraphrases=list(ways),
        num_paraphrases=copies,
        date=None,
    )
    return Rules(limits, learn, prompt)
