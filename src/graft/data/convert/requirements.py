"""Requirements of a source on its rows: `data.required`, `data.ranges` and
`data.strata`."""

import math
from collections.abc import Mapping, Sequence

from graft.data.convert.fields import Unfit, is_empty, missing_field
from graft.records import Row

Range = tuple[float | None, float | None]
"""Smallest and largest allowed value; null means no bound."""


def check_row(row: Row, required: Sequence[str], ranges: Mapping[str, Range]) -> None:
    """Check that required columns are filled, and that numbers are within their ranges.

    Args:
        required: columns, or paths into them, that every row must fill.
        ranges: column or path → range. A row without a value passes, unless the column
            is required too. Numbers may be written as text.
    Raises: Unfit with the first wrong value.
    """
    for path in required:
        value = row.get(path)
        if is_empty(value):
            fix = "fill the field, remove the row, or correct data.required"
            raise missing_field(row, path, f"a value in {path!r} (data.required)", fix)
    for path, (least, greatest) in ranges.items():
        value = row.get(path)
        if is_empty(value):
            continue
        number = _number(value)
        low = -math.inf if least is None else least
        high = math.inf if greatest is None else greatest
        if number is None or not low <= number <= high:
            raise Unfit(
                f"no number in {path}" if number is None else f"{path} out of range",
                value,
                f"{_shown(least, greatest)} in {path!r} (data.ranges)",
                "correct the value, remove the row, or widen data.ranges",
            )


def check_stratum(stratum: str, allowed: Sequence[str] | None) -> None:
    """Raises: Unfit if a row's stratum is not allowed; null allows all."""
    if allowed is not None and stratum not in allowed:
        raise Unfit(
            "unknown stratum",
            stratum,
            f"one of {', '.join(allowed)} (data.strata)",
            "correct the row, or add the stratum to data.strata",
        )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number


def _shown(least: float | None, greatest: float | None) -> str:
    low = "" if least is None else f" from {least:g}"
    high = "" if greatest is None else f" up to {greatest:g}"
    return f"a number{low}{high}"
