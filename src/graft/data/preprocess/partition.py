"""Marked examples → kept examples, and rejects with place, reason and fix."""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from graft.config import PreprocessConfig
from graft.data.columns import numbered, to_frame, to_table
from graft.data.preprocess.cleaning import all_rules
from graft.data.preprocess.duplicates import Duplicates
from graft.data.preprocess.filters import Rule, beginnings
from graft.data.turns import sides, unfold
from graft.engine.ordered import Map
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA

NEVER = pl.lit(False)
DUPLICATE = Rule(
    "duplicate",
    NEVER,
    "messages that no other example has",
    "nothing to do; or set preprocess.drop_duplicates to false",
)
NEAR = Rule(
    "near-duplicate",
    NEVER,
    "text that differs more from that of every other example",
    "nothing to do; or raise preprocess.near_duplicates.threshold, or set its policy "
    "to group: then both are kept, in the same split",
)


class Partition:
    """Divides batches, in the order of their rows, into kept and dropped; counts
    reasons.

    Ids in `readmitted` are kept even if they are near-duplicates, but not if they are
    exact ones.
    """

    def __init__(
        self,
        config: PreprocessConfig,
        duplicates: Duplicates,
        readmitted: Set[str] = frozenset(),
    ) -> None:
        self._config, self._duplicates = config, duplicates
        self._readmitted = list(readmitted)
        near = duplicates.near.filter(pl.col("row") != pl.col("kept_for"))
        self._near = near.sort("row")
        rules = (*all_rules(config), DUPLICATE, NEAR)
        self._expected = {rule.reason: rule.expected for rule in rules}
        self._fix = {rule.reason: rule.fix for rule in rules}
        self.reasons: Counter[str] = Counter()

    def divide(
        self, tables: Iterable[pa.Table], run: Map = map
    ) -> Iterator[tuple[pa.Table, pa.Table]]:
        """Each table's kept rows by EXAMPLE_SCHEMA, and dropped by REJECT_SCHEMA."""
        for kept, dropped in run(self._part, numbered(tables)):
            self.reasons.update(dropped["reason"].to_pylist())
            yield kept, dropped

    def _part(self, item: tuple[int, pa.Table]) -> tuple[pa.Table, pa.Table]:
        at, table = item
        batch = self._mark(to_frame(table), at)
        kept = batch.filter(pl.col("reason").is_null())
        return to_table(kept, EXAMPLE_SCHEMA), self._rejects(batch)

    def to_report(self) -> dict[str, Any]:
        """Counts of near-duplicates."""
        return {"near_duplicates": self._duplicates.report}

    def _mark(self, batch: pl.DataFrame, at: int) -> pl.DataFrame:
        """The batch with the reasons and groups that depend on other rows."""
        order = pl.Series(self._duplicates.order[at : at + batch.height])
        again = order > 0
        if self._config.drop_duplicates:
            mark = pl.when(again).then(pl.lit(DUPLICATE.reason))
            batch = batch.with_columns(reason=pl.coalesce("reason", mark))
        elif again.any():
            numbered = pl.format("{}-{}", "id", order + 1)
            batch = batch.with_columns(id=pl.when(again).then(numbered).otherwise("id"))
        if self._duplicates.merged.height:
            merged = batch["group"].replace(*self._duplicates.merged.get_columns())
            batch = batch.with_columns(merged)
        if self._config.near_duplicates.policy == "drop":
            batch = self._mark_near(batch, at)
        return batch

    def _mark_near(self, batch: pl.DataFrame, at: int) -> pl.DataFrame:
        rows = self._near["row"].to_numpy()
        first, end = np.searchsorted(rows, (at, at + batch.height))
        if first == end:
            return batch
        mine = self._near[int(first) : int(end)]
        nothing = pl.Series([None] * batch.height, dtype=pl.String)
        like = nothing.scatter(mine["row"] - at, "like " + mine["where"])
        fresh = like.is_not_null() & batch["reason"].is_null()
        fresh &= ~batch["id"].is_in(self._readmitted)
        return batch.with_columns(
            reason=pl.when(fresh).then(pl.lit(NEAR.reason)).otherwise("reason"),
            value=pl.when(fresh).then(like).otherwise("value"),
        )

    def _rejects(self, batch: pl.DataFrame) -> pa.Table:
        lost = batch.filter(pl.col("reason").is_not_null())
        if lost["value"].has_nulls():
            shown = sides(unfold(lost)).select(beginnings()).to_series()
            lost = lost.with_columns(value=lost["value"].fill_null(shown))
        texts = {"expected": self._expected, "fix": self._fix}
        lines = lost.select(
            *("where", "reason", "id", "value"),
            *(
                pl.col("reason")
                .replace_strict(text, return_dtype=pl.String)
                .alias(name)
                for name, text in texts.items()
            ),
            stage=pl.lit("preprocess"),
            row=pl.struct(EXAMPLE_SCHEMA.names).struct.json_encode(),
        )
        return to_table(lines, REJECT_SCHEMA)
