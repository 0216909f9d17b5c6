"""Generate completions: batched by length, with early stopping, in the given order.

The generation engine that evaluation and serving share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any, Protocol, Self

import torch
from tqdm import tqdm

from graft.config import EvaluateConfig, TaskConfig
from graft.errors import HardwareError
from graft.inference.decoding import (
    CHECK_EVERY,
    pad_left,
    search_beams,
    write_tokens,
)


class TextEnds(Protocol):
    """The part of a prompt template that generation uses."""

    @property
    def pad_id(self) -> int:
        """Token for padding."""

    @property
    def stop_ids(self) -> list[int]:
        """Tokens that end a turn."""

    def decode(self, ids: Sequence[int]) -> str:
        """Text of tokens, without special tokens."""


@dataclass(frozen=True)
class Decoding:
    """Settings of decoding.

    Args:
        max_new_tokens: longest completion, in tokens.
        stop: a completion ends before the first of these texts.
        batch_size: prompts in one forward pass.
        num_beams: 1 is greedy or sampled; more is beam search.
        temperature: 0 is greedy; otherwise sampling divides logits by it.
        seed: of sampling. Equal seeds and batches give equal completions.
    """

    max_new_tokens: int
    stop: Sequence[str] = ()
    batch_size: int = 32
    num_beams: int = 1
    temperature: float = 0.0
    seed: int = 0

    @classmethod
    def of(cls, task: TaskConfig, evaluate: EvaluateConfig) -> Self:
        """The configured settings."""
        return cls(
            max_new_tokens=task.max_new_tokens,
            stop=task.stop,
            batch_size=evaluate.batch_size,
            num_beams=evaluate.num_beams,
            temperature=evaluate.temperature,
            seed=evaluate.seed,
        )


@dataclass(frozen=True)
class Completions:
    """Texts in the order of their prompts, and their costs.

    `num_tokens` counts the completions with their stop token, not the prompts.
    `latency_ms` is the median duration of a batch.
    """

    texts: list[str]
    num_tokens: int
    seconds: float
    latency_ms: float

    @property
    def tokens_per_s(self) -> float:
        """Throughput over all prompts."""
        return self.num_tokens / max(self.seconds, 1e-9)


def complete(
    model: Any,
    template: TextEnds,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    title: str = "completions",
) -> Completions:
    """Complete prompts given as token ids.

    Batches contain prompts of similar length to minimise padding; the longest come
    first, so that a lack of memory is found at once.
    Raises: HardwareError if a batch does not fit the accelerator's memory.
    """
    model.eval()
    order = sorted(range(len(prompts)), key=lambda row: -len(prompts[row]))
    texts = [""] * len(prompts)
    num_tokens, times = 0, []
    # disable=None: no bar if the output is not a terminal.
    with tqdm(total=len(prompts), desc=title, unit="text", disable=None) as progress:
        for first in range(0, len(prompts), decoding.batch_size):
            start = perf_counter()
            rows = order[first : first + decoding.batch_size]
            batch = [prompts[row] for row in rows]
            written = write(model, template, batch, decoding)
            for row, ids in zip(rows, written, strict=True):
                num_tokens += len(ids)
                texts[row] = cut(template.decode(ids), decoding.stop)
            times.append(perf_counter() - start)
            progress.update(len(rows))
    latency_ms = 1000 * median(times) if times else 0.0
    return Completions(texts, num_tokens, sum(times), latency_ms)


def cut(text: str, stop: Sequence[str]) -> str:
    """Text before the first stop text, without white space around it."""
    ends = [text.index(end) for end in stop if end in text]
    return text[: min(ends, default=None)].strip()


def write(
    model: Any,
    template: TextEnds,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
) -> list[list[int]]:
    """Tokens generated for each prompt, up to and including the first stop token."""
    stop_ids = set(template.stop_ids)
    # At worst a stop text has one token per byte, and one more for a leading space.
    tail = (
        CHECK_EVERY + max((len(end.encode()) for end in decoding.stop), default=0) + 1
    )

    def ended(ids: list[int]) -> bool:
        if not stop_ids.isdisjoint(ids):
            return True
        text = template.decode(ids[-tail:]) if decoding.stop else ""
        return any(end in text for end in decoding.stop)

    if decoding.num_beams > 1:
        write = partial(
            search_beams,
            num_beams=decoding.num_beams,
            pad_id=template.pad_id,
            stop_ids=template.stop_ids,
        )
    else:
        write = partial(
            write_tokens, temperature=decoding.temperature, seed=decoding.seed
        )
    ids, mask = pad_left(prompts, template.pad_id, model.device)
    try:
        with torch.inference_mode():
            limit = decoding.max_new_tokens
            written = write(model, ids, mask, max_new_tokens=limit, ended=ended)
    except torch.OutOfMemoryError as error:
        raise HardwareError(
            str(model.device),
            f"out of memory: {len(prompts)} prompts of {ids.shape[1]} tokens per batch",
            fix=f"lower evaluate.batch_size (is {decoding.batch_size})",
        ) from error
    return [_until(row, stop_ids) for row in written]


def _until(ids: list[int], stop_ids: set[int]) -> list[int]:
    """Tokens up to and including the first stop token."""
    end = next((i for i, token in enumerate(ids) if token in stop_ids), len(ids))
    return ids[: end + 1]
