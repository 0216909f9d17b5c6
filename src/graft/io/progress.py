"""Progress of a stage on a terminal: rows, rows/s, and the remaining time if known."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def track(
    tables: "Iterable[pa.Table]", stage: str, total: int | None = None
) -> "Iterator[pa.Table]":
    """Yield the same tables, and show their rows on stderr if it is a terminal.

    Args:
        total: number of rows; without it no remaining time is shown.
    """
    from tqdm import tqdm

    with tqdm(
        total=total, desc=stage, unit=" rows", unit_scale=True, disable=None
    ) as shown:
        for table in tables:
            yield table
            shown.update(table.num_rows)
