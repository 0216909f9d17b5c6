"""Pairs as examples, and their cleaning in batches of any size."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from graft.config import PreprocessConfig
from graft.config.compose import compose
from graft.data.columns import from_lines
from graft.data.preprocess.cleaning import (
    CleaningCounts,
    ReviewDecisions,
    clean,
    marked_schema,
)
from graft.data.preprocess.duplicates import find_duplicates
from graft.data.preprocess.partition import Partition
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA

NOTHING = ReviewDecisions({}, frozenset())


def preprocess_config(**changes: Any) -> PreprocessConfig:
    """The section of configs/ with changes, and without near-duplicate search."""
    values = yaml.safe_load(_composed())["preprocess"]
    values["near_duplicates"]["policy"] = "ignore"
    for key, value in changes.items():
        part = values[key]
        values[key] = part | value if isinstance(part, dict) else value
    return PreprocessConfig.model_validate(values)


@cache
def _composed() -> str:
    return compose([])


def pair(user: str | None, answer: str, n: int = 0, **changes: Any) -> dict[str, Any]:
    """A row of EXAMPLE_SCHEMA; without a user turn it is plain text."""
    user_turns = [] if user is None else [{"role": "user", "content": user}]
    return {
        "id": f"id{n}",
        "messages": [*user_turns, {"role": "assistant", "content": answer}],
        "references": [],
        "group": "",
        "stratum": "all",
        "split": None,
        "where": f"f:{n}",
    } | changes


@dataclass(frozen=True)
class Cleaned:
    """Rows of EXAMPLE_SCHEMA and of REJECT_SCHEMA, and the counts."""

    kept: list[dict[str, Any]]
    dropped: list[dict[str, Any]]
    counts: CleaningCounts
    reasons: Counter[str]
    report: dict[str, Any]


@dataclass(frozen=True)
class InMemory:
    """Marked tables as `graft.data.preprocess.duplicates` reads them."""

    marked: Sequence[pa.Table]

    def tables(self, columns: Sequence[str] | None = None) -> list[pa.Table]:
        """Tables in order, with these columns."""
        return [t if columns is None else t.select(columns) for t in self.marked]

    def numbers(self, name: str) -> np.ndarray:
        """The values of a numeric column."""
        parts = [table[name].to_numpy() for table in self.marked]
        return np.concatenate([*parts, np.zeros(0, np.uint64)])


def clean_rows(
    rows: Sequence[dict[str, Any]],
    config: PreprocessConfig,
    size: int = 3,
    decided: ReviewDecisions = NOTHING,
) -> Cleaned:
    """Preprocess rows of EXAMPLE_SCHEMA without files."""
    batches = [
        from_lines(rows[at : at + size], EXAMPLE_SCHEMA)
        for at in range(0, len(rows), size)
    ]
    counts = CleaningCounts()
    cleaned = (clean(batch, config, decided) for batch in batches)
    marked = list(counts.count(cleaned))
    assert all(table.schema == marked_schema(config) for table in marked)
    duplicates = find_duplicates(InMemory(marked), config)
    partition = Partition(config, duplicates, decided.readmitted)
    kept: list[dict[str, Any]] = []
    dropped: list[dict[str, Any]] = []
    for good, bad in partition.divide(marked):
        assert (good.schema, bad.schema) == (EXAMPLE_SCHEMA, REJECT_SCHEMA)
        kept += good.to_pylist()
        dropped += bad.to_pylist()
    return Cleaned(kept, dropped, counts, partition.reasons, duplicates.report)
