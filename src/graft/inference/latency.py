"""Latency of single prompts."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from graft.inference.generation import TextEnds, write
from graft.inference.results import Decoding, Latency


def measure_latency(
    model: Any,
    template: TextEnds,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    *,
    runs: int,
    warmup_runs: int,
) -> Latency | None:
    """Time prompts spread evenly over the given ones, one by one; None for no runs."""
    if not runs:
        return None
    chosen = [prompts[index * len(prompts) // runs] for index in range(runs)]
    first = replace(decoding, max_new_tokens=1)
    for number in range(warmup_runs):
        write(model, template, [chosen[number % runs]], decoding)
    firsts, times, num_tokens = [], [], 0
    for prompt in chosen:
        firsts.append(_timed(model, template, prompt, first)[0])
        seconds, written = _timed(model, template, prompt, decoding)
        times.append(seconds)
        num_tokens += written
    p50, p95 = np.percentile(times, [50, 95])
    return Latency(
        runs=runs,
        p50_ms=1000 * float(p50),
        p95_ms=1000 * float(p95),
        first_token_ms=1000 * median(firsts),
        tokens_per_s=num_tokens / max(sum(times), 1e-9),
    )


def _timed(
    model: Any, template: TextEnds, prompt: Sequence[int], decoding: Decoding
) -> tuple[float, int]:
    """Seconds and tokens of one completion. Its tokens are returned as integers, so the
    device has finished."""
    start = perf_counter()
    (ids,) = write(model, template, [prompt], decoding)
    return perf_counter() - start, len(ids)
