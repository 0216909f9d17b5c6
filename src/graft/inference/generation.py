"""Generate completions with continuous batching, in the given order.

The generation engine that evaluation and serving share.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any, Protocol

import torch
from tqdm import tqdm

from graft.errors import HardwareError
from graft.inference.batching import is_supported, run_requests
from graft.inference.decoding import (
    CHECK_EVERY,
    pad_left,
    search_beams,
    write_tokens,
)
from graft.inference.requests import GenerationRequest, Sampling
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

    Prompts enter the batch as others end, the longest first, so that a lack of memory
    is found at once.
    Raises: HardwareError if not even one row fits the accelerator's memory.
    """
    texts = [""] * len(prompts)
    num_tokens, times, start = 0, [], perf_counter()
    # disable=None: no bar if the output is not a terminal.
    with tqdm(total=len(prompts), desc=title, unit="text", disable=None) as progress:
        for row, ids, seconds in _finished(model, template, prompts, decoding):
            num_tokens += len(ids)
            texts[row] = cut(template.decode(ids), decoding.stop)
            times.append(seconds)
            progress.update()
    latency_ms = 1000 * median(times) if times else 0.0
    return Completions(texts, num_tokens, perf_counter() - start, latency_ms)


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
    written: list[list[int]] = [[] for _ in prompts]
    for row, ids, _ in _finished(model, template, prompts, decoding):
        written[row] = ids
    return written


def _finished(
    model: Any,
    template: TextEnds,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
) -> Iterator[tuple[int, list[int], float]]:
    """Each row once it has ended, its tokens, and its seconds since it entered."""
    ended = stop_text_finder(template, decoding.stop)
    if decoding.num_beams > 1 or not is_supported(model):
        yield from _padded(model, template, prompts, decoding, ended)
        return
    requests = [
        GenerationRequest(
            key=row,
            prompt=prompt,
            max_new_tokens=decoding.max_new_tokens,
            stop_ids=frozenset(template.stop_ids),
            ended=ended if decoding.stop else None,
            sampling=Sampling(decoding.temperature, seed=(decoding.seed << 32) + row),
        )
        for row, prompt in enumerate(prompts)
    ]
    rows: dict[Any, tuple[float, list[int]]] = {}
    before = perf_counter()
    for event in run_requests(model, requests, decoding.batch_size):
        assert isinstance(event.key, int)
        start, ids = rows.setdefault(event.key, (before, []))
        ids += event.tokens
        if event.finish:
            before = perf_counter()
            yield event.key, ids, before - start


def stop_text_finder(
    template: TextEnds, stop: Sequence[str]
) -> Callable[[list[int]], bool]:
    """Whether the last tokens of a row contain a stop text."""
    # At worst a stop text has one token per byte, and one more for a leading space.
    tail = CHECK_EVERY + max((len(end.encode()) for end in stop), default=0) + 1

    def ended(ids: list[int]) -> bool:
        text = template.decode(ids[-tail:])
        return any(end in text for end in stop)

    return ended


def _padded(
    model: Any,
    template: TextEnds,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    has_stop_text: Callable[[list[int]], bool],
) -> Iterator[tuple[int, list[int], float]]:
    """As `_finished`, in padded batches: beam search, and families without slots."""
    model.eval()
    stop_ids = set(template.stop_ids)

    def ended(ids: list[int]) -> bool:
        found = not stop_ids.isdisjoint(ids)
        return found or bool(decoding.stop) and has_stop_text(ids)

    if decoding.num_beams > 1:
        search = partial(
            search_beams,
            num_beams=decoding.num_beams,
            pad_id=template.pad_id,
            stop_ids=template.stop_ids,
        )
    else:
        search = partial(
            write_tokens, temperature=decoding.temperature, seed=decoding.seed
        )
    order = sorted(range(len(prompts)), key=lambda row: -len(prompts[row]))
    for first in range(0, len(order), decoding.batch_size):
        start, rows = perf_counter(), order[first : first + decoding.batch_size]
        batch = [prompts[row] for row in rows]
        ids, mask = pad_left(batch, template.pad_id, model.device)
        limit = decoding.max_new_tokens
        try:
            with torch.inference_mode():
                written = search(model, ids, mask, max_new_tokens=limit, ended=ended)
        except torch.OutOfMemoryError as error:
            raise HardwareError(
                str(model.device),
                f"out of memory: {len(ids)} prompts of {ids.shape[1]} tokens per batch",
                fix=f"lower generation.batch_size (is {decoding.batch_size})",
            ) from error
        seconds = perf_counter() - start
        for row, tokens in zip(rows, written, strict=True):
            yield row, _until(tokens, stop_ids), seconds


def _until(ids: list[int], stop_ids: set[int]) -> list[int]:
    """Tokens up to and including the first stop token."""
    end = next((i for i, token in enumerate(ids) if token in stop_ids), len(ids))
    return ids[: end + 1]
