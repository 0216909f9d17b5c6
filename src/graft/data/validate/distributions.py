"""Distributions of a data set: lengths and classes."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

NUM_BINS = 24


class Lengths:
    """Number of texts by length; its memory depends on the lengths, not the number of
    texts."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, lengths: pl.Series) -> None:
        """Count lengths; nulls are ignored."""
        self._counts.update(dict(lengths.drop_nulls().value_counts().iter_rows()))

    def to_report(self) -> dict[str, Any]:
        """Mean, quantiles (by nearest rank) and histogram."""
        num = self._counts.total()
        if not num:
            return {"num": 0, "histogram": []}
        lengths = np.array(sorted(self._counts))
        counts = np.array([self._counts[length] for length in lengths.tolist()])
        upto = np.cumsum(counts)
        ranks = {"p5": 0.05, "median": 0.5, "p95": 0.95, "p99": 0.99}
        quantiles = {
            name: int(lengths[np.searchsorted(upto, at * num)])
            for name, at in ranks.items()
        }
        return {
            "num": num,
            "mean": round(float((lengths * counts).sum() / num), 1),
            "min": int(lengths[0]),
            "max": int(lengths[-1]),
            **quantiles,
            "histogram": histogram(self._counts, quantiles["p99"]),
        }


def histogram(counts: Mapping[int, int], top: int) -> list[dict[str, int | None]]:
    """Counts in bins of a round width up to about `top`, and in one bin for the rest.

    Each bin has `low` (inclusive), `high` (exclusive; null: no limit) and `count`.
    """
    width = _round_up(max(top, 1) / NUM_BINS)
    num_bins = top // width + 1
    bins: Counter[int] = Counter()
    for value, count in counts.items():
        bins[min(value // width, num_bins)] += count
    return [
        {
            "low": index * width,
            "high": (index + 1) * width if index < num_bins else None,
            "count": bins[index],
        }
        for index in range(num_bins + 1)
        if index < num_bins or bins[index]
    ]


def _round_up(width: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …"""
    size = 1
    while True:
        for step in (1, 2, 5):
            if step * size >= width:
                return step * size
        size *= 10


def balance(counts: Mapping[str, int]) -> dict[str, Any]:
    """Shares of classes, the largest first, from the examples of each stratum.

    Returns: `strata` (name, count, share), `num_strata`, and `imbalance`: the ratio of
        the largest to the smallest.
    """
    if not counts:
        return {"strata": [], "num_strata": 0, "imbalance": 1.0}
    total = sum(counts.values())
    strata = [
        {"name": name, "count": count, "share": round(count / total, 4)}
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return {
        "strata": strata,
        "num_strata": len(strata),
        "imbalance": round(max(counts.values()) / min(counts.values()), 2),
    }
