"""CSV and TSV files. A record with all its lines is one row or one reject."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row
from graft.sources.files import SourcePart, reject
from graft.sources.opening import open_text

MAX_RECORD = 1 << 26
"""Characters of the longest record, so that an unclosed quote cannot fill memory."""

MAX_LINES = 1000
"""Largest number of lines that an unclosed quote may turn into one reject; more would
be a loss that one reject hides."""


class _TooLong(Exception):
    """A record has more than `MAX_RECORD` characters."""


@dataclass(frozen=True)
class _Skipped:
    """A record that cannot be read: its first line, its number of lines, and whether
    its quotes are closed before the file ends."""

    line: str
    num_lines: int
    is_closed: bool


class _Lines:
    """The lines of the current record, and the number of its first line."""

    def __init__(self, stream: Iterable[str], limit: int) -> None:
        self._stream = iter(stream)
        self._limit = limit
        self._size = 0
        self._record: list[str] = []
        self.first = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._stream)
        self._record.append(line)
        self._size += len(line)
        if self._size > self._limit:
            raise _TooLong
        return line

    def accept(self) -> None:
        """End the record; the next line begins another."""
        self._advance(len(self._record))

    def skip(self, data: DataConfig) -> "_Skipped":
        """Skip to the end of a record that cannot be read.

        A line within quotes must not become a record of its own, which would be a row
        that is not in the data. So a misplaced quote is ignored, and the record ends
        where a quote closes a field, or at the end of the file.
        """
        first, num_lines = self._record[0], len(self._record)
        is_open = False
        for line in self._record:
            is_open = _open_after(line, is_open, data)
        while is_open and (further := next(self._stream, None)) is not None:
            is_open = _open_after(further, is_open, data)
            num_lines += 1
        self._advance(num_lines)
        return _Skipped(first, num_lines, is_closed=not is_open)

    def _advance(self, num_lines: int) -> None:
        self.first += num_lines
        self._size = 0
        self._record.clear()


def _open_after(line: str, is_open: bool, data: DataConfig) -> bool:
    """Whether a quoted field is open at the end of a line; `is_open`: at its start."""
    quote, at = data.quote, 0
    if not quote:
        return False
    closing = re.compile(f"(?:{re.escape(quote)})+")
    while True:
        if not is_open:
            if not line.startswith(quote, at):
                at = line.find(data.delimiter, at) + 1
                if not at:
                    return False
                continue
            at += 1
        for run in closing.finditer(line, at):
            follows = line[run.end() : run.end() + 1]
            if len(run[0]) % 2 and follows in ("", "\r", "\n", data.delimiter):
                break
        else:
            return True
        is_open, at = False, run.end() + 1
        if follows != data.delimiter:
            return False


def _next(reader: Iterator[list[str]]) -> list[str]:
    """The next record. The csv module has one field limit for all readers of a process,
    so it is raised for this record only; `_Lines` limits the size of a record."""
    others = csv.field_size_limit(MAX_RECORD)
    try:
        return next(reader)
    finally:
        csv.field_size_limit(others)


def read_csv(
    part: SourcePart, data: DataConfig, limit: int = MAX_RECORD
) -> Iterator[Row | Reject]:
    """Rows of a CSV file; a row's number is that of its first line, the header's is 1.

    Raises: DataError if the header is unusable.
    """
    with open_text(part.path, data.encoding) as stream:
        lines = _Lines(stream, limit)
        reader = csv.reader(
            lines,
            delimiter=data.delimiter,
            quotechar=data.quote,
            quoting=csv.QUOTE_MINIMAL if data.quote else csv.QUOTE_NONE,
            strict=True,
        )
        columns = data.columns
        while True:
            where = part.where(lines.first)
            try:
                record = _next(reader)
            except StopIteration:
                return
            except (csv.Error, _TooLong) as error:
                problem = str(error) or f"a record of more than {limit} characters"
                if problem.startswith("new-line character"):
                    problem = "a carriage return is in a value without quotes"
                skipped = lines.skip(data)
                bad = _broken(where, problem, skipped)
                is_loss = not skipped.is_closed and skipped.num_lines > MAX_LINES
                if columns is None or is_loss:
                    what = "the header" if columns is None else "the rest of the file"
                    raise DataError(
                        where,
                        f"{what} cannot be read: {bad.value}",
                        expected=bad.expected,
                        fix=bad.fix,
                    ) from error
                yield bad
                continue
            lines.accept()
            if not record:
                continue  # a blank line is not a row
            if columns is None:
                columns = record
                _check_header(where, columns)
            elif len(record) == len(columns):
                values = dict(zip(columns, record, strict=True))
                yield Row(values, where, part.split)
            else:
                yield _shifted(where, record, columns, data)


def _check_header(where: str, columns: list[str]) -> None:
    if len(set(columns)) < len(columns):
        raise DataError(
            where,
            "two columns have the same name",
            expected=f"different names; these are {columns}",
            fix="rename one, or name the columns in data.columns",
        )


def _shifted(
    where: str, record: list[str], columns: list[str], data: DataConfig
) -> Reject:
    return reject(
        where,
        "wrong columns",
        f"{len(record)} in place of {len(columns)}: {data.delimiter.join(record)}",
        f"{len(columns)} columns: {', '.join(columns)}",
        "put quotes around a value that contains the delimiter, or set data.delimiter",
    )


def _broken(where: str, problem: str, skipped: _Skipped) -> Reject:
    if not skipped.is_closed:
        problem = "a quote is not closed"
    if skipped.num_lines > 1:
        problem += f" ({skipped.num_lines} lines from here)"
    return reject(
        where,
        "broken quotes",
        f"{problem}: {skipped.line}",
        "quotes around a whole value only, and quotes within it doubled",
        "correct the quotes, or set data.quote=null if they have no special meaning",
    )
