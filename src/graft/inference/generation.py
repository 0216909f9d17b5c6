"""Generate completions: batched by length, with early stopping, in the given order.

The generation engine that evaluation and serving share.
"""

from collections.abc import Sequence
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any, Protocol

import torch
from tqdm import tqdm

from graft.errors import HardwareError
from graft.inference.decoding import (
    CHECK_EVERY,
    pad_left,
    search_beams,
    write_tokens,
)
from graft.inference.results import Completions, Decoding


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
            fix=f"lower generation.batch_size (is {decoding.batch_size})",
        ) from error
    return [_until(row, stop_ids) for row in written]


def _until(ids: list[int], stop_ids: set[int]) -> list[int]:
    """Tokens up to and including the first stop token."""
    end = next((i for i, token in enumerate(ids) if token in stop_ids), len(ids))
    return ids[: end + 1]
