"""Draws that depend on a row's own seed alone, and seeds of several completions."""

from dataclasses import replace

from graft.inference.requests import GenerationRequest

_GOLDEN = 0x9E3779B97F4A7C15


def uniform(seed: int, number: int) -> float:
    """A number in [0, 1), exact in float32, that depends on both arguments alone."""
    return (_mix(_mix(seed + _GOLDEN) + number * _GOLDEN) >> 40) / 2**24


def _mix(value: int) -> int:
    """64 bits that look random (the finalizer of SplitMix64)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value &= 2**64 - 1
        value = (value ^ (value >> shift)) * factor
    value &= 2**64 - 1
    return value ^ (value >> 31)


def several(request: GenerationRequest, number: int) -> list[GenerationRequest]:
    """Requests for as many completions of one prompt, with keys (key, 0), (key, 1), …

    The first draws as the request itself, the others by seeds derived from its own.
    """
    seeds = [request.sampling.seed]
    seeds += [_mix(_mix(seeds[0] - _GOLDEN) + i) for i in range(1, number)]
    return [
        replace(
            request, key=(request.key, i), sampling=replace(request.sampling, seed=seed)
        )
        for i, seed in enumerate(seeds)
    ]
