"""Generate completions with continuous batching, in the given order.

The generation engine that evaluation and serving share.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import torch
from tqdm import tqdm

from graft.errors import HardwareError
from graft.inference.adapters import active_adapter
from graft.inference.batching import run_requests
from graft.inference.decoding import pad_left, search_beams, write_tokens
from graft.inference.families import is_supported
from graft.inference.requests import (
    GenerationRequest,
    OpenRow,
    RowTemplate,
    Sampling,
)
from graft.inference.results import Completions, Decoding


class TextEnds(RowTemplate, Protocol):
    """The part of a prompt template that generation uses."""

    @property
    def pad_id(self) -> int:
        """Token for padding."""

    @property
    def stop_ids(self) -> list[int]:
        """Tokens that end a turn."""


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
    adapter = active_adapter(model)
    rows = [PromptRow(ids, adapter, number) for number, ids in enumerate(prompts)]
    # disable=None: no bar if the output is not a terminal.
    with tqdm(total=len(prompts), desc=title, unit="text", disable=None) as progress:
        for done in finished_rows(model, template, rows, decoding):
            num_tokens += len(done.tokens)
            texts[done.row] = done.text
            times.append(done.seconds)
            progress.update()
    latency_ms = 1000 * median(times) if times else 0.0
    return Completions(texts, num_tokens, perf_counter() - start, latency_ms)


class PromptRow(NamedTuple):
    """A prompt to be completed.

    Args:
        ids: token ids.
        adapter: the adapter that is on; None: the base alone.
        number: draws of sampling depend on it and on `Decoding.seed` alone.
    """

    ids: Sequence[int]
    adapter: str | None
    number: int


class FinishedRow(NamedTuple):
    """A row that has ended.

    `tokens` end with the first stop token, or the token that completes a stop text;
    `seconds` have passed since the row entered the batch.
    """

    row: int
    tokens: list[int]
    text: str
    seconds: float


def finished_rows(
    model: Any,
    template: TextEnds,
    rows: Sequence[PromptRow],
    decoding: Decoding,
) -> Iterator[FinishedRow]:
    """Complete prompts; yields each row once it has ended, with its place in `rows`.

    Where the model cannot switch adapters by row, all rows must have its active one.
    """
    requests = to_requests(template, rows, decoding)
    if requests and (decoding.num_beams > 1 or not is_supported(model)):
        yield from _padded(model, template, requests, decoding)
        return
    begun: dict[Any, tuple[float, list[int], list[str]]] = {}
    before = perf_counter()
    for event in run_requests(model, requests, decoding.batch_size, decoding.weights):
        assert isinstance(event.key, int)
        start, ids, texts = begun.setdefault(event.key, (before, [], []))
        ids += event.tokens
        texts.append(event.text)
        if event.finish:
            before = perf_counter()
            yield FinishedRow(event.key, ids, "".join(texts), before - start)


def to_requests(
    template: TextEnds,
    rows: Sequence[PromptRow],
    decoding: Decoding,
) -> list[GenerationRequest]:
    """A request for each row, with its place as key."""
    return [
        GenerationRequest(
            key=place,
            prompt=row.ids,
            max_new_tokens=decoding.max_new_tokens,
            adapter=row.adapter,
            stop_ids=frozenset(template.stop_ids),
            template=template,
            stop=decoding.stop,
            sampling=Sampling(
                decoding.temperature, seed=(decoding.seed << 32) + row.number
            ),
        )
        for place, row in enumerate(rows)
    ]


def _padded(
    model: Any,
    template: TextEnds,
    requests: Sequence[GenerationRequest],
    decoding: Decoding,
) -> Iterator[FinishedRow]:
    """`finished_rows` in padded batches: beam search, and families without slots."""
    model.eval()
    # Rows that differ in their prompts and seeds alone end alike.
    any_row = replace(requests[0], template=template if decoding.stop else None)

    def ended(ids: list[int]) -> bool:
        return OpenRow(any_row).extend(ids).finish == "stop"

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
    order = sorted(range(len(requests)), key=lambda row: -len(requests[row].prompt))
    for first in range(0, len(order), decoding.batch_size):
        start, rows = perf_counter(), order[first : first + decoding.batch_size]
        batch = [requests[row].prompt for row in rows]
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
            event = OpenRow(requests[row]).extend(tokens)
            yield FinishedRow(row, event.tokens, event.text, seconds)
