"""Strict JSON: ambiguous or extreme values are reported, never resolved silently."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row
from graft.sources.files import SourcePart, reject
from graft.sources.opening import open_text

BLANK = " \t\r\n"
"""White space that JSON allows between values."""
MAX_DIGITS = 4000
"""Largest number of digits of an integer; Python's own limit is 4,300."""
MAX_DEPTH = 200
"""Largest nesting of objects and lists; writing them again needs a limit."""


@dataclass(frozen=True)
class InvalidJson:
    """Stands for a value that is well-formed JSON, but ambiguous or extreme."""

    problem: str


class JsonReader:
    """Reads JSON values.

    Repeated keys, overlong numbers and deep nesting do not hide where the value ends,
    so they give an `InvalidJson`, and only their row is rejected.
    """

    def __init__(self) -> None:
        self._problem: str | None = None
        self._decoder = json.JSONDecoder(object_pairs_hook=self._object)
        self._for_long_numbers = json.JSONDecoder(
            object_pairs_hook=self._object, parse_int=self._integer
        )

    def read(self, text: str) -> Any:
        """The value of a whole text. Raises: ValueError, RecursionError."""
        start = len(text) - len(text.lstrip(BLANK))
        value, end = self.read_at(text, start)
        if rest := text[end:].strip(BLANK):
            raise json.JSONDecodeError("Extra data", text, len(text) - len(rest))
        return value

    def read_at(self, text: str, at: int) -> tuple[Any, int]:
        """The value that begins at `at`, and where it ends. Raises: as `read`."""
        self._problem = None
        try:
            value, end = self._decoder.raw_decode(text, at)
        except json.JSONDecodeError:
            raise
        except ValueError:  # more digits than Python reads
            value, end = self._for_long_numbers.raw_decode(text, at)
        opened = text.count("[", at, end) + text.count("{", at, end)
        if opened > MAX_DEPTH and _depth(value) > MAX_DEPTH:
            self._problem = self._problem or f"nested more than {MAX_DEPTH} deep"
        return InvalidJson(self._problem) if self._problem else value, end

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs) and not self._problem:
            counts = Counter(key for key, _ in pairs)
            ((twice, _),) = counts.most_common(1)
            self._problem = f"the key {twice!r} occurs twice in one object"
        return values

    def _integer(self, digits: str) -> int:
        if len(digits) <= MAX_DIGITS:
            return int(digits)
        self._problem = self._problem or f"a number of {len(digits)} digits"
        return 0


def read_document(part: SourcePart, data: DataConfig) -> Any:
    """The one value of a file, which is read into memory.

    Raises: DataError if it is broken or ambiguous.
    """
    with open_text(part.path, data.encoding) as stream:
        text = stream.read()
    try:
        value = JsonReader().read(text)
    except (ValueError, RecursionError) as error:
        value = InvalidJson(str(error))
    if isinstance(value, InvalidJson):
        raise DataError(
            part.where(),
            f"is not valid JSON: {value.problem}",
            expected="one complete JSON value, each key once in an object",
            fix="repair the file or fetch it again, or correct data.format",
        )
    return value


def to_row(part: SourcePart, number: int, value: Any, text: str) -> Row | Reject:
    """A row, if the value is a valid object; a reject that shows `text` if it is
    ambiguous or extreme."""
    where = part.where(number)
    if isinstance(value, dict):
        return Row(value, where, part.split)
    if isinstance(value, InvalidJson):
        return reject(
            where,
            "repeated key" if value.problem.startswith("the key") else "extreme JSON",
            f"{value.problem}: {text}",
            "each key once in an object, and numbers and nesting of normal size",
            "correct the row, or remove it",
        )
    return reject(
        where,
        "not an object",
        value,
        'an object such as {"column": "text"}',
        "write the row as an object, or remove it",
    )


def _depth(value: Any) -> int:
    """Nesting depth of lists and objects."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [
            inner
            for item in level
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return depth
