"""A stream of rows → tables of examples, and counts of rejects."""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

import polars as pl
import pyarrow as pa

from graft.config import DataConfig
from graft.data.columns import from_lines, to_table
from graft.data.convert.columnar import is_plain, to_plain
from graft.data.convert.examples import (
    PREFERENCE_FIX,
    is_preference,
    to_example,
)
from graft.data.convert.task import Task
from graft.engine.ordered import Map
from graft.errors import DataError
from graft.field_paths import ABSENT
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA, Reject, Row, shorten
from graft.records.row_batch import RowBatch

NUM_NAMED = 3
"""Number of rejects in the error if there are too many."""


@dataclass(frozen=True)
class Converted:
    """The examples and rejects of a batch; rejects with their positions in it.

    `rows_read` counts the rows of files, which are more than `rows_in` if the source
    joins rows into passages.
    """

    examples: pa.Table
    rejects: list[tuple[int, Reject]]
    rows_in: int
    rows_read: int


def convert(batch: RowBatch, data: DataConfig, task: Task) -> Converted:
    """Convert a batch: in columns where possible, other rows one by one."""
    examples: list[pl.DataFrame] = []
    left: Iterable[int] = range(len(batch))
    if is_plain(data, task):
        plain = to_plain(batch, data, task)
        examples.append(plain)
        left = sorted(set(left) - set(plain["at"]))
    lines: list[dict[str, Any]] = []
    rejects: list[tuple[int, Reject]] = []
    for at in left:
        row = batch.row(at)
        found = row if isinstance(row, Reject) else to_example(row, data, task)
        if isinstance(found, Reject):
            rejects.append((at, _named(found)))
        else:
            lines.append({"at": at} | found)
    examples.append(pl.DataFrame(lines, schema=_LINE))
    table = to_table(pl.concat(examples).sort("at"), EXAMPLE_SCHEMA)
    return Converted(table, rejects, len(batch), batch.num_rows)


_LINE = pl.Schema({"at": pl.UInt32(), **pl.Schema(EXAMPLE_SCHEMA)})


def _named(reject: Reject) -> Reject:
    """A reject with an id: a hash of its row, or of its place if it has no row."""
    content = reject.row or reject.where
    return replace(reject, id=sha256(content.encode()).hexdigest()[:16])


class Conversion:
    """Converts batches of rows, and counts examples and rejects.

    Args:
        data, task: the source and the task.
        max_rejects: number of rejects beyond which it raises.
        write_rejects: receives rejects as tables of REJECT_SCHEMA.
    """

    def __init__(
        self,
        data: DataConfig,
        task: Task,
        max_rejects: int,
        write_rejects: Callable[[pa.Table], None],
    ) -> None:
        self._data, self._task = data, task
        self._max_rejects, self._write = max_rejects, write_rejects
        self._unseen = {
            path: key
            for key, path in (
                *((f"fields.{field}", path) for field, path in data.fields.items()),
                *((f"required.{path}", path) for path in data.required),
                *((f"ranges.{path}", path) for path in data.ranges),
                ("group", data.group),
                ("stratum", data.stratum),
                ("split", data.split),
            )
            if path
        }
        self._columns: dict[str, None] = {}
        self._first: list[Reject] = []
        self.rows_in = self.rows_read = self.num_examples = 0
        self.reasons: Counter[str] = Counter()

    def tables(self, batches: Iterable[RowBatch], run: Map = map) -> Iterator[pa.Table]:
        """Tables of EXAMPLE_SCHEMA, one per batch. `run`: an engine's `map`.

        Raises: DataError past `max_rejects`, if no row has a column that `data` names,
            or if no row became an example.
        """
        work = partial(convert, data=self._data, task=self._task)
        for converted in run(work, map(self._note_columns, batches)):
            self._add(converted)
            yield converted.examples
        self._check_columns()
        if not self.num_examples:
            raise self._too_many("no row became an example")

    def _note_columns(self, batch: RowBatch) -> RowBatch:
        """Note the columns of rows, until every column that `data` names was seen."""
        for row in (batch.row(at) for at in range(len(batch))):
            if not self._unseen:
                break
            if isinstance(row, Row):
                self._columns |= dict.fromkeys(_names(row))
                for path in list(self._unseen):
                    if row.get(path) is not ABSENT:
                        del self._unseen[path]
        return batch

    def _add(self, converted: Converted) -> None:
        for at, reject in converted.rejects:
            self.reasons[reject.reason] += 1
            if len(self._first) < NUM_NAMED:
                self._first.append(reject)
            if self.reasons.total() > self._max_rejects:
                self._check_columns()
                raise self._too_many(
                    f"{self.reasons.total()} of the first {self.rows_in + at + 1} rows "
                    "were rejected"
                )
        if converted.rejects:
            lines = [vars(reject) for _, reject in converted.rejects]
            self._write(from_lines(lines, REJECT_SCHEMA))
        self.rows_in += converted.rows_in
        self.rows_read += converted.rows_read
        self.num_examples += converted.examples.num_rows

    def _check_columns(self) -> None:
        """Raises: DataError if no row so far has a column that `data` names."""
        if not self._unseen or not self._columns:
            return
        path, key = next(iter(self._unseen.items()))
        if is_preference({name.split(".")[0] for name in self._columns}, self._data):
            expected, fix = PREFERENCE_FIX
            problem = f"{self._data.name} is preference data: it has no {path!r}, but "
            problem += "chosen and rejected"
            raise DataError(f"data.{key}", problem, expected=expected, fix=fix)
        near = difflib.get_close_matches(path, self._columns, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        fix = f"correct data.{key} in configs/data, then: graft params"
        if self._data.format == "csv" and len(self._columns) == 1:
            fix = f"check data.delimiter ({self._data.delimiter!r}); else {fix}"
        raise DataError(
            f"data.{key}",
            f"no row of {self._data.name} has a column {path!r}{hint}",
            expected=f"one of {shorten(', '.join(self._columns), 300)}",
            fix=fix,
        )

    def _too_many(self, problem: str) -> DataError:
        named = "".join(
            f"\n  - {reject.where}: {reject.reason}: {reject.value}"
            f"\n      expected: {reject.expected}\n      fix: {reject.fix}"
            for reject in self._first
        )
        return DataError(
            f"data {self._data.name}",
            f"{problem}; the first are{named}",
            expected=f"at most {self._max_rejects} rejects (convert.max_rejects)",
            fix="correct the rows or the mapping, or raise convert.max_rejects",
        )


def _names(row: Row) -> Iterator[str]:
    """Columns of a row, and the fields inside them as paths."""
    for name, value in row.values.items():
        if isinstance(value, dict):
            yield from (f"{name}.{field}" for field in value)
            continue
        yield str(name)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield from (f"{name}[*].{field}" for field in value[0])
