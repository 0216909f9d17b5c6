"""What base and tuned model are asked, and what they answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from graft.config import EvaluateConfig, TaskConfig
from graft.evaluation.examples import HeldOutExample
from graft.evaluation.generation import Completions, Decoding, TextEnds, complete
from graft.evaluation.latency import Latency, measure_latency
from graft.evaluation.likelihood import count_learned, negative_log_likelihoods
from graft.evaluation.scoring import Prediction
from graft.metrics import get_metrics
from graft.records import Message

Array = npt.NDArray[np.float64]
SHOWN: tuple[Literal["role", "content"], ...] = ("role", "content")


class PromptTemplate(TextEnds, Protocol):
    """What evaluation needs to know of a prompt template."""

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """Ids that ask for the last answer."""

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """Text of ids, without control tokens. `start`: they open a document."""

    def show(self, ids: Sequence[int]) -> str:
        """Text of ids, control tokens by name."""


@dataclass(frozen=True)
class Plan:
    """What is asked of each model, and how."""

    decoding: Decoding
    prompt_tokens: int
    latency_runs: int
    warmup_runs: int
    likelihood: bool

    @classmethod
    def of(cls, task: TaskConfig, evaluate: EvaluateConfig) -> Self:
        """As the task and the evaluation are configured."""
        return cls(
            decoding=Decoding.of(task, evaluate),
            prompt_tokens=task.prompt_tokens,
            latency_runs=evaluate.latency_runs,
            warmup_runs=evaluate.warmup_runs,
            likelihood=any(m.of == "likelihood" for m in get_metrics(task.metrics)),
        )


@dataclass(frozen=True)
class Question:
    """What is put to both models: ids, for readers the text and the turns before it,
    and all right answers, the conversation's own first."""

    ids: list[int]
    text: str
    gold: list[str]
    history: list[dict[str, str]] = field(default_factory=list)


def to_question(
    example: HeldOutExample, template: PromptTemplate, prompt_tokens: int
) -> Question:
    """How an example is asked.

    Of a text that answers nobody its own first `prompt_tokens` are the prompt, at most
    half of it, and the rest is the reference.
    """
    turns: list[dict[str, str]] = [
        {key: turn[key] for key in SHOWN} for turn in example.messages
    ]
    asked = [place for place, turn in enumerate(turns) if turn["role"] == "user"]
    if asked:
        prompt = turns[asked[-1]]["content"]
        gold = [example.messages[-1]["content"], *example.references]
        ids = template.encode_prompt(example.messages)
        return Question(ids, prompt, gold, turns[: asked[-1]])
    first = example.learned.index(True)
    room = (len(example.input_ids) - first) // 2
    given = first + min(prompt_tokens, max(room, 1))
    ids = example.input_ids
    text = template.decode(ids[first:given], start=True)
    rest = template.decode(ids[given:])
    return Question(ids[:given], text, [rest or text])


@dataclass(frozen=True)
class Answers:
    """What a model makes of the examples.

    Args:
        completions: what it says.
        latency: of single prompts, if that was asked for.
        nlls: negative log-likelihood of each gold answer, in nats; None if no metric
            asks for it. Shape [examples].
    """

    completions: Completions
    latency: Latency | None
    nlls: Array | None


def ask(
    model: Any,
    template: PromptTemplate,
    examples: Sequence[HeldOutExample],
    questions: Sequence[Question],
    plan: Plan,
    title: str,
) -> Answers:
    """Put the questions to one model."""
    prompts = [question.ids for question in questions]
    completions = complete(model, template, prompts, plan.decoding, title)
    latency = measure_latency(
        model,
        template,
        prompts,
        plan.decoding,
        runs=plan.latency_runs,
        warmup_runs=plan.warmup_runs,
    )
    nlls = None
    if plan.likelihood:
        tokens = [(example.input_ids, example.learned) for example in examples]
        nlls = negative_log_likelihoods(model, tokens, f"{title}, likelihood")
    return Answers(completions, latency, nlls)


def ask_both(
    base: Any,
    tune: Callable[[Any], Any],
    template: PromptTemplate,
    examples: Sequence[HeldOutExample],
    plan: Plan,
) -> tuple[list[Prediction], dict[str, Answers]]:
    """Ask the base model, put the adapter on it, and ask again.

    The base is loaded once and asked before the adapter touches it: what is called
    base is the model without any trace of training.

    Args:
        base: the base model.
        tune: gives the tuned model for the base; may change the base.
    Returns: predictions in the order of examples, and each model's answers.
    """
    questions = [to_question(e, template, plan.prompt_tokens) for e in examples]
    told = ask(base, template, examples, questions, plan, "base")
    tuned = ask(tune(base), template, examples, questions, plan, "tuned")
    predictions = [
        Prediction(
            id=example.id,
            stratum=example.stratum,
            prompt=question.text,
            references=question.gold,
            base=told.completions.texts[row],
            tuned=tuned.completions.texts[row],
            base_nll=None if told.nlls is None else float(told.nlls[row]),
            tuned_nll=None if tuned.nlls is None else float(tuned.nlls[row]),
            num_tokens=count_learned((example.input_ids, example.learned)),
            num_bytes=example.num_bytes,
            group=example.group,
            history=question.history,
        )
        for row, (example, question) in enumerate(zip(examples, questions, strict=True))
    ]
    return predictions, {"base": told, "tuned": tuned}
