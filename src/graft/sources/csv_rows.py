"""CSV and TSV files."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row
from graft.sources.files import Part, open_text, reject


class _Lines:
    """Lines that can be given back, and the number of the line a record began on."""

    def __init__(self, stream: Iterable[str]) -> None:
        self._stream = iter(stream)
        self._waiting: deque[str] = deque()
        self._record: list[str] = []
        self.first = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._stream)
        self._record.append(line)
        return line

    def accept(self) -> None:
        """The record is read; the next line begins another."""
        self.first += len(self._record)
        self._record.clear()

    def give_back(self) -> str:
        """Accept the record's first line only, and return it.

        A stray quote makes a reader take all lines up to the next quote for one field;
        given back, those are read as the rows that they are.
        """
        line, *others = self._record
        self._waiting.extendleft(reversed(others))
        self.first += 1
        self._record.clear()
        return line


def read_csv(part: Part, data: DataConfig) -> Iterator[Row | Reject]:
    """Rows of a CSV file; row n is the line that it begins on, the header's being 1.

    Raises: DataError if the header is unusable.
    """
    with open_text(part.path, data.encoding) as stream:
        lines = _Lines(stream)
        columns = data.columns
        while True:
            try:
                record = next(_reader(lines, data))
            except StopIteration:
                return
            except csv.Error as error:
                yield _bad(part, lines, f"cannot be read: {error}", columns)
                continue
            if not record:
                lines.accept()  # a blank line is no row
            elif columns is None:
                columns = record
                lines.accept()
                _check_header(part, columns)
            elif len(record) != len(columns):
                yield _bad(
                    part, lines, f"{len(record)} in place of {len(columns)}", columns
                )
            else:
                values = dict(zip(columns, record, strict=True))
                yield Row(values, part.where(lines.first), part.split)
                lines.accept()


def _reader(lines: _Lines, data: DataConfig) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=data.delimiter,
        quotechar=data.quote,
        quoting=csv.QUOTE_MINIMAL if data.quote else csv.QUOTE_NONE,
        strict=True,
    )


def _check_header(part: Part, columns: list[str]) -> None:
    if len(set(columns)) < len(columns):
        raise DataError(
            part.where(1),
            "two columns have the same name",
            expected=f"different names; these are {columns}",
            fix="rename one, or name the columns in data.columns",
        )


def _bad(part: Part, lines: _Lines, problem: str, columns: list[str] | None) -> Reject:
    where = part.where(lines.first)
    line = lines.give_back()
    wanted = f"{len(columns)} columns: {', '.join(columns)}" if columns else "a header"
    return reject(
        where,
        "wrong columns",
        f"{problem}: {line}",
        wanted,
        "put quotes around a value that holds the delimiter and double a quote in it; "
        "or set data.delimiter, or data.quote=null",
    )
