"""The fields of a task: their kinds, and reading their values from a row."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from graft.field_paths import ABSENT
from graft.records import Row

_SURROGATE = re.compile("[\ud800-\udfff]")


class Unfit(Exception):
    """A value because of which its row cannot become an example; attributes as of a
    `Reject`."""

    def __init__(self, reason: str, value: object, expected: str, fix: str) -> None:
        super().__init__(reason, value, expected, fix)
        self.reason, self.value = reason, value
        self.expected, self.fix = expected, fix


@dataclass(frozen=True)
class Field:
    """A field of a task.

    Args:
        kind: `text`; `texts`, one text or a list of them; `turns`, the list of a chat's
            turns, unchanged; `any`, any value, which the task checks itself.
        optional: whether `data.fields` may omit it, and a row may have no value.
        implied: whether the column of the field's own name is read if `data.fields`
            omits the field, because the example would be wrong without it.
    """

    kind: Literal["text", "texts", "turns", "any"] = "text"
    optional: bool = False
    implied: bool = False


def with_implied(
    columns: Mapping[str, str], fields: Mapping[str, Field]
) -> dict[str, str]:
    """`data.fields`, and implied fields if it names neither the field nor its
    column."""
    named = {*columns, *columns.values()}
    implied = [n for n, field in fields.items() if field.implied and n not in named]
    return {**columns, **dict(zip(implied, implied, strict=True))}


def read_fields(
    row: Row, columns: Mapping[str, str], fields: Mapping[str, Field]
) -> dict[str, Any]:
    """The values of a row by field, without optional fields that are empty, and without
    fields of kind `any` whose column the row lacks.

    `columns`: field → column, or a path into it, of `data.fields`.
    Raises: Unfit if a value is missing, blank, or of another kind.
    """
    found: dict[str, Any] = {}
    for name, path in with_implied(columns, fields).items():
        field, value = fields[name], row.get(path)
        if field.kind == "any":
            if value is not ABSENT:
                found[name] = value
            continue
        if field.optional and is_empty(value):
            continue
        if field.kind == "text":
            found[name] = text_of(row, path, value)
        elif field.kind == "texts":
            found[name] = _texts(row, path, value)
        else:
            found[name] = _turns(row, path, value)
    return found


def is_empty(value: object) -> bool:
    """Whether a row has no value: absent, null, blank text, or an empty list."""
    blank = isinstance(value, str) and not value.strip()
    return value is ABSENT or value is None or value == [] or blank


def text_of(row: Row, path: str, value: Any) -> str:
    """Text that is not blank and has no invalid bytes. Raises: Unfit."""
    if isinstance(value, str):
        if not value or value.isspace():
            raise Unfit(
                f"empty field {path}",
                value,
                f"text in {path!r}",
                "fill the field, or remove the row",
            )
        check_bytes(path, value)
        return value
    _check_presence(row, path, value, "text")
    raise Unfit(
        f"wrong type in {path}",
        value,
        f"text in {path!r}, not {type(value).__name__}",
        "write it as text, or correct data.fields",
    )


def _texts(row: Row, path: str, value: Any) -> list[str]:
    if isinstance(value, list | tuple) and value:
        return [text_of(row, path, item) for item in value]
    return [text_of(row, path, value)]


def _turns(row: Row, path: str, value: Any) -> list[Mapping[str, Any]]:
    _check_presence(row, path, value, "the turns of a chat")
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise Unfit(
            f"wrong type in {path}",
            value,
            f"a list of turns in {path!r}, each an object",
            "write the chat like this, or correct data.fields",
        )
    return value


def _check_presence(row: Row, path: str, value: Any, what: str) -> None:
    if value is ABSENT or value is None:
        fix = "add the field, or remove the row"
        raise missing_field(row, path, f"{what} in {path!r}", fix)


def missing_field(row: Row, path: str, expected: str, fix: str) -> Unfit:
    """The error for a row without a value, which names the columns that it has."""
    present = f"the row has {', '.join(map(str, row.values)) or 'no field'}"
    return Unfit(f"missing field {path}", present, expected, fix)


def is_text(value: str) -> bool:
    """Whether no character is a surrogate, which stands for an invalid byte."""
    return value.isascii() or not _SURROGATE.search(value)


def check_bytes(path: str, value: str) -> None:
    """Raises: Unfit at an invalid byte, which was read as a surrogate (PEP 383)."""
    bad = None if value.isascii() else _SURROGATE.search(value)
    if bad is None:
        return
    near = value[max(0, bad.start() - 30) : bad.start() + 30]
    code = ord(bad[0])
    if 0xDC80 <= code <= 0xDCFF:
        shown = _SURROGATE.sub(lambda m: f"\\x{ord(m[0]) - 0xDC00:02x}", near)
        what = f"byte 0x{code - 0xDC00:02X} at character {bad.start() + 1} of {path!r}"
        raise Unfit(
            "bad bytes",
            f"{what}: {shown}",
            "text in the encoding of data.encoding",
            "set data.encoding to the encoding of the file, such as cp1252 or latin-1; "
            "or correct the row",
        )
    raise Unfit(
        "bad bytes",
        f"half a character (U+{code:04X}) at {bad.start() + 1} of {path!r}: {near}",
        "both halves of a surrogate pair",
        "correct the escape in the row, or remove the row",
    )
