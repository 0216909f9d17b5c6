"""Latency of single prompts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from graft.inference.families import is_supported
from graft.inference.generation import PromptRow, TextEnds, finished_rows, to_requests
from graft.inference.requests import OpenRow
from graft.inference.results import Decoding, Latency
from graft.inference.slots import open_scheduler

Timed = Callable[[Sequence[int]], tuple[float, float, int]]
"""Prompt → seconds until the first token, seconds until the end, number of tokens."""


def measure_latency(
    model: Any,
    template: TextEnds,
    prompts: Sequence[Sequence[int]],
    adapter: str | None,
    decoding: Decoding,
    *,
    runs: int,
    warmup_runs: int,
) -> Latency | None:
    """Time prompts spread evenly over the given ones, one by one; None for no runs."""
    if not runs:
        return None
    chosen = [prompts[index * len(prompts) // runs] for index in range(runs)]
    longest = max(map(len, chosen)) + decoding.max_new_tokens
    with _timer(model, template, adapter, decoding, longest) as timed:
        for number in range(warmup_runs):
            timed(chosen[number % runs])
        firsts, times, counts = zip(*map(timed, chosen))
    p50, p95 = np.percentile(times, [50, 95])
    return Latency(
        runs=runs,
        p50_ms=1000 * float(p50),
        p95_ms=1000 * float(p95),
        first_token_ms=1000 * median(firsts),
        tokens_per_s=sum(counts) / max(sum(times), 1e-9),
    )


@contextmanager
def _timer(
    model: Any,
    template: TextEnds,
    adapter: str | None,
    decoding: Decoding,
    length: int,
) -> Iterator[Timed]:
    """Times prompts of a model that is ready, as a server's is."""
    if decoding.num_beams > 1 or not is_supported(model):
        first = replace(decoding, max_new_tokens=1)

        def padded(prompt: Sequence[int]) -> tuple[float, float, int]:
            row, start = [PromptRow(prompt, adapter, 0)], perf_counter()
            counts, moments = [], []
            for settings in (first, decoding):
                rows = finished_rows(model, template, row, settings)
                counts += [len(done.tokens) for done in rows]
                moments.append(perf_counter())
            return moments[0] - start, moments[1] - moments[0], counts[1]

        yield padded
        return
    with open_scheduler(model, 1, length, decoding.weights) as scheduler:

        def slotted(prompt: Sequence[int]) -> tuple[float, float, int]:
            (request,) = to_requests(
                template, [PromptRow(prompt, adapter, 0)], decoding
            )
            row, start, first_token = OpenRow(request), perf_counter(), 0.0
            scheduler.add(row)
            while scheduler.open_rows:
                scheduler.step()
                first_token = first_token or perf_counter() - start
            return first_token, perf_counter() - start, len(row.tokens)

        yield slotted
