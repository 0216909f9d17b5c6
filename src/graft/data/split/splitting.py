"""The passes over sequences: keys; texts, if leakage is checked; whole rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from graft.config import SplitConfig
from graft.data.columns import from_lines, numbered, to_frame
from graft.data.split.assign import (
    REJECTED,
    TEST,
    TRAIN,
    VALIDATION,
    Codes,
    Splitter,
    reject_group,
)
from graft.data.split.leakage import HeldOutTexts, Leakage
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA, SPLITS, Reject

Tables = Callable[[], Iterable[pa.Table]]
"""Yields the same rows from the start at each call, in batches of any size."""
TEXTS = ["id", "where", "group", "messages"]
BENCHMARK_ROWS = 1000


class SplitPasses:
    """Assigns splits and finds leakage; holds one byte per row besides."""

    def __init__(self, config: SplitConfig) -> None:
        self._splitter = Splitter(config)
        self._config = config.leakage
        self._leakage: Leakage | None = None
        self._codes: Codes = np.zeros(0, np.int8)
        self._at = 0

    def plan(self, keys: Tables) -> None:
        """Assign each row to a split. Columns group, split, augmented, read twice."""
        for table in keys():
            self._splitter.observe(table)
        parts = [self._splitter.assign(table) for table in keys()]
        self._codes = np.concatenate([self._codes, *parts])

    def compare(
        self, texts: Tables, benchmarks: Iterable[tuple[str, list[str]]]
    ) -> None:
        """Index the held-out texts, and find n-grams of train in them.

        Args:
            texts: columns id, where, group, messages; read twice.
            benchmarks: `file:row` and texts of each benchmark row.
        """
        if self._config is None:
            return
        held_out = HeldOutTexts(self._config)
        if np.isin(self._codes, (VALIDATION, TEST)).any():
            for table in self._where(texts(), VALIDATION, TEST):
                held_out.add_examples(table)
        for where, lines in _batched(benchmarks):
            held_out.add_texts(where, lines)
        self._leakage = held_out.to_leakage()
        if held_out.num_texts:
            for table in self._where(texts(), TRAIN):
                self._leakage.observe(table)

    def parts(self, table: pa.Table) -> tuple[Codes, list[pa.Table]]:
        """The codes of the next rows, and the tables of each split and of rejects."""
        codes = self._codes[self._at : self._at + table.num_rows].copy()
        self._at += table.num_rows
        groups = table["group"]
        rejects = {
            int(row): reject_group(table["where"][row].as_py(), groups[row].as_py())
            for row in np.flatnonzero(codes == REJECTED)
        }
        if self._leakage is not None:
            rows = np.flatnonzero(codes == TRAIN)
            train = table.select(TEXTS).filter(pa.array(codes == TRAIN))
            found = self._leakage.find(train)
            if self._leakage.config.policy == "drop":
                limit = self._leakage.config.threshold
                for row, pair in found.items():
                    codes[rows[row]] = REJECTED
                    rejects[int(rows[row])] = pair.to_reject(limit)
        kept = [table.filter(pa.array(codes == code)) for code in range(len(SPLITS))]
        return codes, [*kept, _to_table(rejects, table)]

    def enforce(self) -> None:
        """Raises: DataError if too many rows leak."""
        if self._leakage is not None:
            self._leakage.enforce()

    def to_report(self) -> dict[str, Any]:
        """The report on leakage; null if it was not checked."""
        found = None if self._leakage is None else self._leakage.to_report()
        return {"leakage": found}

    @property
    def num_straddling(self) -> int:
        """Number of groups that official splits put into more than one split."""
        return self._splitter.num_straddling

    def _where(self, tables: Iterable[pa.Table], *codes: int) -> Iterator[pa.Table]:
        """The rows of each table that have one of the codes."""
        for at, table in numbered(tables):
            chosen = np.isin(self._codes[at : at + table.num_rows], codes)
            yield table.filter(pa.array(chosen))


def _batched(
    rows: Iterable[tuple[str, list[str]]],
) -> Iterator[tuple[list[str], list[str]]]:
    """Texts of many rows at once, each with its row's `file:row`."""
    rows = iter(rows)
    while batch := list(islice(rows, BENCHMARK_ROWS)):
        pairs = [(where, text) for where, texts in batch for text in texts]
        yield [where for where, _ in pairs], [text for _, text in pairs]


def _to_table(rejects: Mapping[int, Reject], table: pa.Table) -> pa.Table:
    """Rejects by row number → rows of REJECT_SCHEMA, with id and whole example."""
    rows = sorted(rejects)
    examples = to_frame(table.select(EXAMPLE_SCHEMA.names).take(pa.array(rows, "i8")))
    whole = examples.select("id", row=pl.struct(pl.all()).struct.json_encode())
    lines = [
        vars(rejects[row]) | example
        for row, example in zip(rows, whole.iter_rows(named=True), strict=True)
    ]
    return from_lines(lines, REJECT_SCHEMA)
