"""Values of rows as JSON and as text, whatever they are."""

import base64
import json
import math
from collections.abc import Mapping
from typing import Any


def to_json(value: Any) -> str:
    """One line of JSON. Types that it lacks become texts, bytes as base64; NaN and
    infinities become null, and invalid characters U+FFFD."""
    try:
        text = json.dumps(
            value, ensure_ascii=False, allow_nan=False, default=_other_type
        )
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, default=_other_type)
    return valid(text)


def to_cell(value: Any) -> str:
    """A text as it is, nothing for null, and JSON otherwise."""
    if value is None:
        return ""
    if isinstance(value, str):
        return valid(value)
    text = to_json(value)
    return str(json.loads(text)) if text.startswith('"') else text


def _other_type(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def valid(text: str) -> str:
    """The text with U+FFFD in place of lone surrogates, which no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
