"""JSON files with one array of objects, read element by element."""

import json
from collections.abc import Iterator
from typing import IO, Any

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row
from graft.sources.files import SourcePart
from graft.sources.json_values import BLANK, JsonReader, to_row
from graft.sources.opening import open_text

CHUNK = 1 << 20
"""Characters read at once."""
MAX_ELEMENT = 1 << 26
"""Characters of the longest element, so that an unclosed bracket cannot fill memory."""


def read_json(part: SourcePart, data: DataConfig) -> Iterator[Row | Reject]:
    """Elements of the array; row n is the nth element.

    Raises: DataError where the array is broken, since the rows after that can be
    neither read nor counted.
    """
    with open_text(part.path, data.encoding) as stream:
        for number, value in enumerate(Elements(stream, part), 1):
            yield to_row(part, number, value, "the element")


class Elements:
    """Iterates over an array with one chunk, or one element, in memory."""

    def __init__(self, stream: IO[str], part: SourcePart, chunk: int = CHUNK) -> None:
        self._stream, self._part, self._chunk = stream, part, chunk
        self._text = ""
        self._at = 0
        self._lines = 1  # lines up to the start of the text in memory
        self._ended = False
        self._reader = JsonReader()

    def __iter__(self) -> Iterator[Any]:
        first = self._peek()
        if not first:
            return
        if first != "[":
            raise self._error(
                f"begins with {first!r}, not with [",
                "one array of objects",
                "for one object per line set data.format to jsonl",
            )
        self._at += 1
        if self._peek() == "]":
            self._at += 1
        else:
            while True:
                yield self._element()
                mark = self._peek()
                self._at += 1
                if mark == "]":
                    break
                if mark != ",":
                    raise self._broken("expected , or ] after an element")
        if rest := self._peek():
            raise self._broken(f"{rest!r} after the end of the array")

    def _element(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._reader.read_at(self._text, self._at)
                # At the end of the chunk a number may continue.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value
            except RecursionError:
                raise self._broken("nested too deeply") from None
            except json.JSONDecodeError as error:
                too_long = len(self._text) - self._at > MAX_ELEMENT
                if self._ended or too_long:
                    self._at = min(error.pos, len(self._text))
                    raise self._broken(error.msg) from error
            self._read_more()

    def _peek(self) -> str:
        """Skip white space; the next character, or "" at the end of the file."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in BLANK:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._read_more()

    def _read_more(self) -> None:
        self._lines += self._text.count("\n", 0, self._at)
        held = self._text[self._at :]
        more = self._stream.read(max(self._chunk, len(held)))
        self._ended = not more
        self._text, self._at = held + more, 0

    def _broken(self, problem: str) -> DataError:
        rest = self._text[self._at :].strip(BLANK)
        if self._ended and (not rest or problem.startswith("Unterminated string")):
            problem = "the file ends before the array; it seems truncated"
        return self._error(
            f"broken JSON: {problem}",
            "an array of objects, closed by ]",
            "repair the file or fetch it again; in JSON Lines (one object per line, "
            "data.format=jsonl) only the broken row would be rejected",
        )

    def _error(self, problem: str, expected: str, fix: str) -> DataError:
        line = self._lines + self._text.count("\n", 0, self._at)
        where = f"{self._part.where()}, line {line}"
        return DataError(where, problem, expected=expected, fix=fix)
