"""A stream of rows → tables of examples, and the account of what was put aside."""

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from graft.config import DataConfig
from graft.data.columns import from_lines
from graft.data.examples import Kind, to_example
from graft.errors import DataError
from graft.records import ABSENT, EXAMPLE_SCHEMA, REJECT_SCHEMA, Reject, Row, shorten

BATCH = 16_384
"""Examples in one table."""
NUM_NAMED = 3
"""Rejects named when there are too many."""


class Conversion:
    """Converts rows as they come; holds the rejects, of which there is a limit.

    `rows_in` are rows as the source gives them; `rows_read` those of its files, which
    are more where a source joins them into passages.
    """

    def __init__(self, data: DataConfig, task: Kind, max_rejects: int) -> None:
        self._data, self._task = data, task
        self._max_rejects = max_rejects
        self._unseen = {
            path: key
            for key, path in (
                *((f"fields.{field}", path) for field, path in data.fields.items()),
                ("group", data.group),
                ("stratum", data.stratum),
                ("split", data.split),
            )
            if path
        }
        self._columns: dict[str, None] = {}
        self._num_examples = 0
        self.rows_in = self.rows_read = 0
        self.rejects: list[Reject] = []

    @property
    def reasons(self) -> dict[str, int]:
        """Number of rejects for each reason."""
        return Counter(reject.reason for reject in self.rejects)

    def tables(self, rows: Iterable[Row | Reject]) -> Iterator[pa.Table]:
        """Tables of EXAMPLE_SCHEMA, of up to `BATCH` examples.

        Raises: DataError past `max_rejects`, if a column that `data` names is in no
            row, or if no row became an example.
        """
        batch: list[dict[str, Any]] = []
        for row in rows:
            self.rows_in += 1
            self.rows_read += 1 if isinstance(row, Reject) else row.num_rows
            found = row if isinstance(row, Reject) else self._convert(row)
            if isinstance(found, Reject):
                self._put_aside(found)
                continue
            batch.append(found)
            if len(batch) == BATCH:
                self._num_examples += BATCH
                yield from_lines(batch, EXAMPLE_SCHEMA)
                batch = []
        self._num_examples += len(batch)
        self._check_columns()
        if not self._num_examples:
            raise self._too_many("no row became an example")
        yield from_lines(batch, EXAMPLE_SCHEMA)

    def reject_table(self) -> pa.Table:
        """The rejects as a table of REJECT_SCHEMA."""
        return from_lines([vars(r) for r in self.rejects], REJECT_SCHEMA)

    def _convert(self, row: Row) -> dict[str, Any] | Reject:
        if self._unseen:
            self._columns |= dict.fromkeys(_names(row))
            seen = [path for path in self._unseen if row.get(path) is not ABSENT]
            for path in seen:
                del self._unseen[path]
        return to_example(row, self._data, self._task)

    def _put_aside(self, reject: Reject) -> None:
        self.rejects.append(reject)
        if len(self.rejects) > self._max_rejects:
            self._check_columns()
            raise self._too_many(
                f"{len(self.rejects)} of the first {self.rows_in} rows were rejected"
            )

    def _check_columns(self) -> None:
        """Raises: DataError if a column that `data` names was in no row so far."""
        if not self._unseen or not self._columns:
            return
        path, key = next(iter(self._unseen.items()))
        near = difflib.get_close_matches(path, self._columns, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        fix = f"correct data.{key} in configs/data, then: graft params"
        if self._data.format == "csv" and len(self._columns) == 1:
            fix = f"is data.delimiter {self._data.delimiter!r} right? else {fix}"
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
            for reject in self.rejects[:NUM_NAMED]
        )
        return DataError(
            f"data {self._data.name}",
            f"{problem}; the first are{named}",
            expected=f"at most {self._max_rejects} rejects (convert.max_rejects)",
            fix="correct the rows or the mapping, or raise convert.max_rejects to put "
            "aside and count more",
        )


def _names(row: Row) -> Iterator[str]:
    """Columns of a row, and the fields inside them as paths."""
    for name, value in row.values.items():
        if isinstance(value, dict):
            yield from (f"{name}.{field}" for field in value)
        else:
            yield str(name)
