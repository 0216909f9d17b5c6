"""Requests to analyse: rows of the request log, or of a file of prompts."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from graft import io
from graft.errors import DataError
from graft.monitoring.features import FEATURE_COLUMNS, FEATURE_SCHEMA, to_features

PROMPT = "prompt"
ROW_SCHEMA = pa.schema([*FEATURE_SCHEMA, pa.field(PROMPT, pa.string())])

Encode = Callable[[str], Sequence[int]]
"""A user's text → token ids of the whole prompt."""


def read_requests(path: Path, make_encode: Callable[[], Encode]) -> pa.Table:
    """Rows of a file: Parquet, or JSON Lines with the field `prompt`.

    Args:
        path: of the file.
        make_encode: is called if the file has no features.
    Returns: a table with the columns of features, and other columns.
    Raises: DataError if the file is missing or broken, or has no prompts.
    """
    if path.suffix == ".parquet":
        table = _read_parquet(path)
        if set(FEATURE_COLUMNS) <= set(table.column_names):
            return table
        prompts = table[PROMPT].to_pylist() if PROMPT in table.column_names else []
    else:
        prompts = [_prompt_of(row) for _, row in io.read_json_lines(path)]
    if not prompts or not all(isinstance(prompt, str) for prompt in prompts):
        raise DataError(
            str(path),
            f"has a row without the field {PROMPT}, or no row",
            expected=f"a text in {PROMPT} in each row, or shards of the request log",
            fix="write what the users wrote to this field",
        )
    return to_rows(prompts, make_encode())


def to_rows(prompts: Sequence[str], encode: Encode) -> pa.Table:
    """Prompts with their features."""
    rows = [
        {PROMPT: prompt, **to_features(prompt, encode(prompt)).to_row()}
        for prompt in prompts
    ]
    return pa.Table.from_pylist(rows, ROW_SCHEMA)


def _prompt_of(row: Any) -> Any:
    return row.get(PROMPT) if isinstance(row, dict) else None


def _read_parquet(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, page_checksum_verification=True)
    except OSError as error:
        raise io.storage_error(path, error) from error
    except pa.ArrowException as error:
        raise DataError(
            str(path),
            f"cannot be read: {str(error).splitlines()[0]}",
            expected="a complete Parquet file",
            fix="write it again",
        ) from error
