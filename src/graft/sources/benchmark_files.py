"""Texts of benchmark files, which must not be in the training data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graft.errors import DataError
from graft.io import read_json_lines, storage_error


def read_benchmark(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each row's place, `FILE:ROW`, and all strings in it, also nested ones.

    `.jsonl` has an object per line, `.parquet` columns, any other file a text per line.
    Raises: DataError naming a row that cannot be read; StorageError.
    """
    for place, row in _rows(path):
        if row:
            yield place, list(_strings(row))


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    if path.suffix == ".jsonl":
        yield from read_json_lines(path)
        return
    rows = _parquet_rows(path) if path.suffix == ".parquet" else _lines(path)
    number = 0
    try:
        for number, row in enumerate(rows, 1):
            yield f"{path}:{number}", row
    except OSError as error:
        raise storage_error(path, error) from error
    except ValueError as error:  # includes errors of UTF-8
        raise DataError(
            f"{path}:{number + 1}",
            f"cannot be read: {str(error).splitlines()[0]}",
            expected="JSON Lines (.jsonl), Parquet (.parquet) or UTF-8 text",
            fix="correct the file or split.leakage.benchmarks",
        ) from error


def _parquet_rows(path: Path) -> Iterator[Any]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(4096):
            yield from batch.to_pylist()


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        yield from map(str.strip, lines)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
