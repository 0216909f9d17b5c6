"""The work of stage `generate`: outputs of base and tuned model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt

from graft.config import GenerationConfig
from graft.hardware.machine import (
    device_name,
    library_versions,
    peak_memory_gib,
    peak_rss_gib,
)
from graft.inference.examples import HeldOutExample
from graft.inference.generated import Generated
from graft.inference.generation import TextEnds, complete
from graft.inference.latency import measure_latency
from graft.inference.likelihood import (
    count_trained_tokens,
    negative_log_likelihoods,
)
from graft.inference.results import Completions, Decoding, GenerationCost, Latency
from graft.records import Message, Prediction

Array = npt.NDArray[np.float64]
SHOWN: tuple[Literal["role", "content"], ...] = ("role", "content")


class PromptTemplate(TextEnds, Protocol):
    """The methods of a prompt template that evaluation uses."""

    def encode_prompt(self, messages: Sequence[Message]) -> list[int]:
        """Token ids after which the model writes the last answer."""

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        """Text of ids, without control tokens. `start`: they open a document."""

    def show(self, ids: Sequence[int]) -> str:
        """Text of ids, control tokens by name."""


@dataclass(frozen=True)
class GenerationPlan:
    """What each model generates, and how."""

    decoding: Decoding
    prompt_tokens: int
    latency_runs: int
    warmup_runs: int

    @classmethod
    def of(cls, generation: GenerationConfig) -> Self:
        """As configured."""
        return cls(
            decoding=Decoding.of(generation),
            prompt_tokens=generation.prompt_tokens,
            latency_runs=generation.latency_runs,
            warmup_runs=generation.warmup_runs,
        )


@dataclass(frozen=True)
class Prompt:
    """A prompt for both models.

    Args:
        ids: token ids.
        text: what a reader sees of it: the last user turn.
        references: all correct answers, the conversation's own first.
        history: the turns before the last user turn.
    """

    ids: list[int]
    text: str
    references: list[str]
    history: list[dict[str, str]] = field(default_factory=list)


def to_prompt(
    example: HeldOutExample, template: PromptTemplate, prompt_tokens: int
) -> Prompt:
    """The prompt of an example.

    A text without a user turn is prompted with its own first `prompt_tokens`, at most
    half of it, and the rest is the reference.
    """
    turns: list[dict[str, str]] = [
        {key: turn[key] for key in SHOWN} for turn in example.messages
    ]
    users = [place for place, turn in enumerate(turns) if turn["role"] == "user"]
    if users:
        last = users[-1]
        references = [example.messages[-1]["content"], *example.references]
        ids = template.encode_prompt(example.messages)
        return Prompt(ids, turns[last]["content"], references, turns[:last])
    first = example.loss_mask.index(True)
    half = (len(example.input_ids) - first) // 2
    end = first + min(prompt_tokens, max(half, 1))
    ids = example.input_ids
    text = template.decode(ids[first:end], start=True)
    rest = template.decode(ids[end:])
    return Prompt(ids[:end], text, [rest or text])


@dataclass(frozen=True)
class ModelOutputs:
    """What one model generates for the examples.

    Args:
        completions: of all prompts.
        latency: of single prompts; None if it was not measured.
        nlls: negative log-likelihood of each reference answer, in nats. Shape
            [examples].
    """

    completions: Completions
    latency: Latency | None
    nlls: Array


def run_model(
    model: Any,
    template: PromptTemplate,
    examples: Sequence[HeldOutExample],
    prompts: Sequence[Prompt],
    plan: GenerationPlan,
    title: str,
) -> ModelOutputs:
    """Complete the prompts with one model, and measure likelihood and latency."""
    ids = [prompt.ids for prompt in prompts]
    completions = complete(model, template, ids, plan.decoding, title)
    latency = measure_latency(
        model,
        template,
        ids,
        plan.decoding,
        runs=plan.latency_runs,
        warmup_runs=plan.warmup_runs,
    )
    tokens = [(example.input_ids, example.loss_mask) for example in examples]
    nlls = negative_log_likelihoods(model, tokens, f"{title}, likelihood")
    return ModelOutputs(completions, latency, nlls)


def generate(
    base: Any,
    tune: Callable[[Any], Any],
    template: PromptTemplate,
    examples: Sequence[HeldOutExample],
    plan: GenerationPlan,
    *,
    adapter: str,
    warnings: Sequence[str] = (),
    name_device: Callable[[str], str] = device_name,
    peak_memory: Callable[[str], float] = peak_memory_gib,
) -> Generated:
    """Run the base model, apply the adapter to it, and run the tuned model.

    The base is loaded once and runs before the adapter is applied to it, so its outputs
    are not affected by training.

    Args:
        base: the base model, loaded.
        tune: returns the tuned model for the base; may change the base.
        adapter: digest of the weights of the adapter.
        warnings: sentences on references that no completion can equal.
        name_device: device → its name.
        peak_memory: device → its peak memory in GiB.
    Raises: HardwareError if a batch does not fit the device's memory.
    """
    device = str(base.device)  # before `tune`, which may free the base's memory
    prompts = [to_prompt(example, template, plan.prompt_tokens) for example in examples]
    outputs = {"base": run_model(base, template, examples, prompts, plan, "base")}
    outputs["tuned"] = run_model(tune(base), template, examples, prompts, plan, "tuned")
    return Generated(
        predictions=_to_predictions(examples, prompts, outputs),
        adapter=adapter,
        decoding=plan.decoding,
        costs={s: GenerationCost.of(made.completions) for s, made in outputs.items()},
        latency={s: made.latency for s, made in outputs.items() if made.latency},
        device=name_device(device),
        memory_gib=peak_memory(device),
        rss_gib=peak_rss_gib(),
        versions=library_versions(),
        prompt=template.show(prompts[0].ids),
        warnings=warnings,
    )


def _to_predictions(
    examples: Sequence[HeldOutExample],
    prompts: Sequence[Prompt],
    outputs: Mapping[str, ModelOutputs],
) -> list[Prediction]:
    base, tuned = outputs["base"], outputs["tuned"]
    return [
        Prediction(
            id=example.id,
            stratum=example.stratum,
            prompt=prompt.text,
            references=prompt.references,
            base=base.completions.texts[row],
            tuned=tuned.completions.texts[row],
            base_nll=float(base.nlls[row]),
            tuned_nll=float(tuned.nlls[row]),
            num_tokens=count_trained_tokens((example.input_ids, example.loss_mask)),
            num_bytes=example.num_bytes,
            group=example.group,
            history=prompt.history,
        )
        for row, (example, prompt) in enumerate(zip(examples, prompts, strict=True))
    ]
