"""`data.constants`: further columns with the same value in every row."""

from collections.abc import Iterable
from dataclasses import replace

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, Row, shorten


def with_constants(row: Row | Reject, data: DataConfig) -> Row | Reject:
    """A row with the constant columns. Raises: as `check_constant`."""
    if isinstance(row, Reject) or not data.constants:
        return row
    for name, value in data.constants.items():
        check_constant(name, value, [row.values.get(name, value)])
    return replace(row, values={**row.values, **data.constants})


def check_constant(name: str, value: object, values: Iterable[object]) -> None:
    """Raises: DataError if the source has a column of this name with other values."""
    for other in values:
        if other != value:
            raise DataError(
                f"data.constants.{name}",
                f"the source has a column of that name, with {shorten(other)!r}",
                expected="a name that no column of the source has",
                fix="remove it from constants, or rename it",
            )
