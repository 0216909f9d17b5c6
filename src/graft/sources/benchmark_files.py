"""Texts of benchmark files, which train must not know."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graft.errors import DataError
from graft.io import storage_error


def read_benchmark(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each row's place, `file:row`, and its texts: every string in it, however deep.

    `.jsonl` has an object a line, `.parquet` columns; any other file a text a line.
    Raises: DataError naming the row if it cannot be read; StorageError.
    """
    number = 0
    try:
        for number, row in enumerate(_rows(path), 1):
            if row:
                yield f"{path}:{number}", list(_strings(row))
    except OSError as error:
        raise storage_error(path, error) from error
    except ValueError as error:  # also of JSON and of UTF-8
        raise DataError(
            f"{path}:{number + 1}",
            f"cannot be read: {str(error).splitlines()[0]}",
            expected="JSON Lines (.jsonl), Parquet (.parquet) or UTF-8 text",
            fix="correct the file or split.leakage.benchmarks",
        ) from error


def _rows(path: Path) -> Iterator[Any]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(4096):
                yield from batch.to_pylist()
        return
    with path.open(encoding="utf-8") as lines:
        for line in map(str.strip, lines):
            yield json.loads(line) if line and path.suffix == ".jsonl" else line


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
