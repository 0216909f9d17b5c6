"""The passes over sequences that split them: keys, texts if leakage is compared, all."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

from graft.config import SplitConfig
from graft.data.columns import from_lines
from graft.data.leakage import Leakage
from graft.data.splits import (
    REJECTED,
    TEST,
    TRAIN,
    VALIDATION,
    Codes,
    Splitter,
    reject_group,
)
from graft.records import REJECT_SCHEMA, SPLITS

Tables = Callable[[], Iterable[pa.Table]]
"""The same rows from the start, at each call, in batches of any size."""
TEXTS = ["id", "where", "group", "messages"]
BENCHMARK_ROWS = 1000


class Splitting:
    """Keeps one byte a row, and what `Splitter` and `Leakage` keep."""

    def __init__(self, config: SplitConfig) -> None:
        self._splitter = Splitter(config)
        self._leakage = Leakage(config.leakage) if config.leakage else None
        self._codes: Codes = np.zeros(0, np.int8)
        self._at = 0

    def plan(self, keys: Tables) -> None:
        """Give each row its split. Columns group, split, augmented, read twice."""
        for table in keys():
            self._splitter.see(table)
        parts = [self._splitter.assign(table) for table in keys()]
        self._codes = np.concatenate([self._codes, *parts])

    def compare(
        self, texts: Tables, benchmarks: Iterable[tuple[str, list[str]]]
    ) -> None:
        """Learn what is held out, and where train is like it. Columns id, where, group,
        messages, read twice; rows of benchmarks with place and texts."""
        if self._leakage is None:
            return
        if np.isin(self._codes, (VALIDATION, TEST)).any():
            for table in self._where(texts(), VALIDATION, TEST):
                self._leakage.hold(table)
        for where, said in _batched(benchmarks):
            self._leakage.hold_texts(where, said)
        self._leakage.index()
        if self._leakage.num_texts:
            for table in self._where(texts(), TRAIN):
                self._leakage.see(table)

    def parts(self, table: pa.Table) -> tuple[Codes, list[pa.Table]]:
        """The next rows' codes, and the tables of each split and of the rejects."""
        codes = self._codes[self._at : self._at + table.num_rows].copy()
        self._at += table.num_rows
        groups = table.select(["where", "group"]).filter(pa.array(codes == REJECTED))
        rejects = [
            reject_group(row["where"], row["group"]) for row in groups.to_pylist()
        ]
        if self._leakage is not None:
            rows = np.flatnonzero(codes == TRAIN)
            train = table.select(TEXTS).filter(pa.array(codes == TRAIN))
            leaked, pairs = self._leakage.find(train)
            if self._leakage.config.policy == "drop":
                codes[rows[leaked]] = REJECTED
                limit = self._leakage.config.threshold
                rejects += [pair.to_reject(limit) for pair in pairs]
        kept = [table.filter(pa.array(codes == code)) for code in range(len(SPLITS))]
        return codes, [*kept, from_lines([vars(r) for r in rejects], REJECT_SCHEMA)]

    def enforce(self) -> None:
        """Raises: DataError if more leaks than may."""
        if self._leakage is not None:
            self._leakage.enforce()

    def to_report(self) -> dict[str, Any]:
        """What was compared and found; none if nothing was compared."""
        found = None if self._leakage is None else self._leakage.to_report()
        return {"leakage": found}

    @property
    def num_straddling(self) -> int:
        """Groups that official splits put into more than one split."""
        return self._splitter.num_straddling

    def _where(self, tables: Iterable[pa.Table], *codes: int) -> Iterator[pa.Table]:
        """The rows of each table that have one of the codes."""
        at = 0
        for table in tables:
            chosen = np.isin(self._codes[at : at + table.num_rows], codes)
            at += table.num_rows
            yield table.filter(pa.array(chosen))


def _batched(
    rows: Iterable[tuple[str, list[str]]],
) -> Iterator[tuple[list[str], list[str]]]:
    """Places and texts of many rows at once; each text with its row's place."""
    rows = iter(rows)
    while batch := list(islice(rows, BENCHMARK_ROWS)):
        pairs = [(where, text) for where, texts in batch for text in texts]
        yield [where for where, _ in pairs], [text for _, text in pairs]
