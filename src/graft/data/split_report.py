"""The account of a split: counts by split and by stratum, and what to mind."""

from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from graft.data.columns import to_frame
from graft.data.splits import LEFT_OUT, Codes
from graft.records import SPLITS

MAX_STRATA = 50
MOST_HELD = 5_000
"""Strata counted at once: past it the smallest are put together, so that a column of
other values in each row cannot fill the memory."""
KINDS = (*SPLITS, "rejects")
OTHERS = "(others)"


class Tally:
    """Counts batches as they come."""

    def __init__(self) -> None:
        self._rows: Counter[int] = Counter()
        self._strata: dict[str, list[int]] = {}
        self.num_rows = 0

    def add(self, strata: pa.ChunkedArray, codes: Codes) -> None:
        """Count a batch. Both of shape [rows]; a code past SPLITS is a reject, or
        LEFT_OUT."""
        self.num_rows += len(codes)
        frame = to_frame(pa.table({"stratum": strata})).with_columns(
            code=pl.Series(codes, dtype=pl.Int8)
        )
        counted = frame.group_by("stratum", "code", maintain_order=True).len()
        for stratum, code, count in counted.iter_rows():
            self._rows[code] += count
            if code != LEFT_OUT:
                row = self._strata.setdefault(stratum, [0] * len(KINDS))
                row[code] += count
        if len(self._strata) > MOST_HELD:
            self._strata = _largest(self._strata, MOST_HELD // 2)

    def to_report(self, num_straddling: int, written: int) -> dict[str, Any]:
        """Counts, strata and warnings.

        Args:
            num_straddling: groups in more than one split.
            written: rows in all outputs together.
        Raises: AssertionError if the counts do not add up.
        """
        counts = {kind: self._rows[code] for code, kind in enumerate(KINDS)}
        copies = self._rows[LEFT_OUT]
        sums = " + ".join(f"{counts[name]} {name}" for name in KINDS)
        balance = f"{self.num_rows} sequences = {sums}"
        if copies:
            balance += f" + {copies} paraphrases of what is held out"
        if not self.num_rows == sum(counts.values()) + copies == written + copies:
            raise AssertionError(f"{balance}; but {written} written")
        strata = _largest(self._strata, MAX_STRATA)
        return {
            "balance": balance,
            "counts": {**counts, "paraphrases_left_out": copies},
            "strata": {
                name: dict(zip(KINDS, row, strict=True)) for name, row in strata.items()
            },
            "straddling_groups": num_straddling,
            "warnings": _warnings(counts, num_straddling),
        }


def _largest(strata: dict[str, list[int]], most: int) -> dict[str, list[int]]:
    """The largest strata; the others put together."""
    if len(strata) <= most:
        return strata
    ranked = sorted(strata, key=lambda name: (name == OTHERS, -sum(strata[name])))
    kept = {name: strata[name] for name in ranked[:most]}
    others = np.sum([strata[name] for name in ranked[most:]], axis=0)
    return {**kept, OTHERS: others.tolist()}


def _warnings(counts: dict[str, int], num_straddling: int) -> list[str]:
    empty = {
        "train": "train is empty: there is nothing to learn from; "
        "give examples that are not held out, or lower split.validation and split.test",
        "validation": "validation is empty: training cannot see when to stop; "
        "raise split.validation",
        "test": "test is empty: nothing will be scored; raise split.test",
    }
    found = [text for name, text in empty.items() if not counts[name]]
    if num_straddling:
        found.append(
            f"{num_straddling} groups stand in more than one official split, which "
            "were kept as they are: scores may be too good"
        )
    return found
