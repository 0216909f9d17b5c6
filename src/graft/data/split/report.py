"""The report of a split: counts by split and by stratum, and warnings."""

from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from graft.config import SplitConfig
from graft.data.columns import to_frame
from graft.data.split.assign import LEFT_OUT, Codes
from graft.errors import DataError
from graft.records import SPLITS

MAX_STRATA = 50
MOST_HELD = 5_000
"""Strata counted at once. Beyond that the smallest are merged, so that a column with a
different value in every row cannot fill the memory."""
KINDS = (*SPLITS, "rejects")
OTHERS = "(others)"
PURPOSES = {"train": "train on", "validation": "stop training by", "test": "score"}


class SplitCounts:
    """Counts sequences by split and stratum, batch by batch."""

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

    def check_filled(self, config: SplitConfig) -> None:
        """Raises: DataError naming the first split without sequences."""
        for code, name in enumerate(SPLITS):
            if not self._rows[code]:
                raise DataError(
                    f"split {name}",
                    f"has none of the {self.num_rows} sequences ({self._shown()}); "
                    f"without it there is nothing to {PURPOSES[name]}",
                    expected=f"at least one sequence in {', '.join(SPLITS)}",
                    fix=_fix(name, config),
                )

    def to_report(self, num_straddling: int, written: int) -> dict[str, Any]:
        """Counts, strata and warnings. Raises: AssertionError if they do not add up.

        Args:
            num_straddling: number of groups in more than one split.
            written: number of rows in all outputs together.
        """
        counts = {kind: self._rows[code] for code, kind in enumerate(KINDS)}
        copies = self._rows[LEFT_OUT]
        balance = f"{self.num_rows} sequences = {self._shown()}"
        if copies:
            balance += f" + {copies} paraphrases of held-out examples"
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
            "warnings": [
                f"{num_straddling} groups are in more than one official split; official"
                " splits are kept as they are, so scores may be too good"
            ]
            * (num_straddling > 0),
        }

    def _shown(self) -> str:
        return " + ".join(
            f"{self._rows[code]} {kind}" for code, kind in enumerate(KINDS)
        )


def _fix(name: str, config: SplitConfig) -> str:
    """How to fill an empty split."""
    if name == "train":
        return (
            "add rows that are not held out, lower split.validation and split.test, "
            "or list the leaked rows with split.leakage.policy: report"
        )
    return (
        f"raise split.{name} (is {getattr(config, name)}; a group, such as rows with "
        f"the same prompt, is never divided), or name rows of it: data.files.{name}"
    )


def _largest(strata: dict[str, list[int]], most: int) -> dict[str, list[int]]:
    """The largest strata; the others merged into one."""
    if len(strata) <= most:
        return strata
    ranked = sorted(strata, key=lambda name: (name == OTHERS, -sum(strata[name])))
    kept = {name: strata[name] for name in ranked[:most]}
    others = np.sum([strata[name] for name in ranked[most:]], axis=0)
    return {**kept, OTHERS: others.tolist()}
