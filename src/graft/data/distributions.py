"""What a data set looks like in numbers: lengths, classes, splits."""

from typing import Any

import polars as pl

NUM_BINS = 24


def describe(lengths: pl.Series) -> dict[str, Any]:
    """Mean, quantiles and histogram of lengths in characters; nulls are left out."""
    known = lengths.drop_nulls()
    if known.is_empty():
        return {"num": 0, "histogram": []}
    quantiles = {
        name: int(known.quantile(at, "nearest") or 0)
        for name, at in {"p5": 0.05, "median": 0.5, "p95": 0.95, "p99": 0.99}.items()
    }
    return {
        "num": len(known),
        "mean": round(float(known.mean()), 1),  # type: ignore[arg-type]
        "min": int(known.min()),  # type: ignore[arg-type]
        "max": int(known.max()),  # type: ignore[arg-type]
        **quantiles,
        "histogram": histogram(known, quantiles["p99"]),
    }


def histogram(values: pl.Series, top: int) -> list[dict[str, int | None]]:
    """Counts in bins of one round width up to about `top`; the last bin takes the rest.

    Each bin has `low` (in it), `high` (not in it; null: no limit) and `count`.
    """
    width = _round_up(max(top, 1) / NUM_BINS)
    num_bins = top // width + 1
    counts = dict(
        (values // width).clip(upper_bound=num_bins).value_counts().iter_rows()
    )
    return [
        {
            "low": index * width,
            "high": (index + 1) * width if index < num_bins else None,
            "count": counts.get(index, 0),
        }
        for index in range(num_bins + 1)
        if index < num_bins or counts.get(index)
    ]


def _round_up(width: float) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …"""
    size = 1
    while True:
        for step in (1, 2, 5):
            if step * size >= width:
                return step * size
        size *= 10


def balance(counts: pl.DataFrame) -> dict[str, Any]:
    """Shares of classes, the largest first.

    Args:
        counts: columns `stratum` and `count`.
    Returns: `strata` (name, count, share), `num_strata`, and `imbalance`: how many
        times the largest is as large as the smallest.
    """
    if counts.is_empty():
        return {"strata": [], "num_strata": 0, "imbalance": 1.0}
    total = counts["count"].sum()
    ordered = counts.sort(["count", "stratum"], descending=[True, False])
    strata = [
        {"name": name, "count": count, "share": round(count / total, 4)}
        for name, count in ordered.select("stratum", "count").iter_rows()
    ]
    return {
        "strata": strata,
        "num_strata": len(strata),
        "imbalance": round(strata[0]["count"] / strata[-1]["count"], 2),
    }
