"""Progress of a stage on a terminal: rows, rows/s, and the time left if it is known."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def track(
    tables: "Iterable[pa.Table]", stage: str, total: int | None = None
) -> "Iterator[pa.Table]":
    """The same tables; their rows are counted on stderr, if that is a terminal.

    Args:
        total: rows to come; without it there is a rate, and no time left.
    """
    from tqdm import tqdm

    with tqdm(
        total=total, desc=stage, unit=" rows", unit_scale=True, disable=None
    ) as shown:
        for table in tables:
            yield table
            shown.update(table.num_rows)
