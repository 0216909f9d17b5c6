"""Parquet, JSON and text in and out: streaming, and atomic.

What is written appears under its name only when it is whole. A stage that dies
half-way leaves a hidden `.NAME.partial` beside it, which the next run removes.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft.errors import DataError, GraftError, StorageError

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_SHARD = 1_000_000


def storage_error(where: Path, error: OSError) -> GraftError:
    """The error of ours for an operating system's error on a path."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            str(where),
            "the disk is full; nothing half-written was left under this name",
            expected="free space for the outputs of this stage",
            fix="free some space (`dvc gc -w` removes unused cache), then run again",
        )
    if isinstance(error, FileNotFoundError):
        return DataError(
            str(where),
            "no such file or folder",
            expected="an existing path",
            fix="correct the path, or run the stage that makes it: dvc repro",
        )
    return StorageError(
        str(where), error.strerror or str(error), fix="check the path and its rights"
    )


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path; on success it takes the place of `path`, whole.

    Raises: StorageError if the disk is full or the path cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove(partial)
        yield partial
        if path.is_dir():
            remove(path)
        partial.replace(path)
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        remove(partial)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_batches(
    out: Path, batches: "Iterable[pa.Table]", schema: "pa.Schema"
) -> dict[str, int]:
    """Write tables to `out`, a folder of Parquet shards, as they come.

    Args:
        out: the folder; what was there before is replaced.
        batches: tables whose columns can be cast to `schema`.
        schema: the columns written; others are left out.
    Returns: `num_rows` and `num_shards`. There is always at least one shard, so an
        empty result is still a table with columns.
    """
    import pyarrow.parquet as pq

    num_rows = num_shards = 0
    writer: pq.ParquetWriter | None = None
    with atomic(out) as partial:
        partial.mkdir()
        try:
            for table in batches:
                if writer is None or num_rows >= num_shards * ROWS_PER_SHARD:
                    if writer is not None:
                        writer.close()
                    shard = partial / f"part-{num_shards:05d}.parquet"
                    writer = pq.ParquetWriter(shard, schema, compression="zstd")
                    num_shards += 1
                writer.write_table(table.select(schema.names).cast(schema))
                num_rows += table.num_rows
            if writer is None:
                shard = partial / "part-00000.parquet"
                writer = pq.ParquetWriter(shard, schema, compression="zstd")
                num_shards = 1
        finally:
            if writer is not None:
                writer.close()
    return {"num_rows": num_rows, "num_shards": num_shards}


def read_batches(
    source: Path, columns: list[str] | None = None, batch_size: int = 16_384
) -> "Iterator[pa.Table]":
    """Read a folder of Parquet shards in order, `batch_size` rows at a time.

    Raises: DataError if the folder is missing or holds no shard, or one is broken.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    shards = sorted(source.glob("part-*.parquet"))
    if not shards:
        raise DataError(
            str(source),
            "no Parquet shard here",
            expected="a folder that an earlier stage wrote",
            fix="run the line from its start: dvc repro",
        )
    for shard in shards:
        try:
            with pq.ParquetFile(shard) as file:
                for batch in file.iter_batches(batch_size, columns=columns):
                    yield pa.Table.from_batches([batch])
                if not file.metadata.num_rows:
                    yield file.schema_arrow.empty_table().select(
                        columns or file.schema_arrow.names
                    )
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                str(shard),
                f"cannot be read: {str(error).splitlines()[0]}",
                expected="a whole Parquet shard",
                fix="make it again (dvc repro --force STAGE) or fetch it: dvc checkout",
            ) from error


def read_table(source: Path, columns: list[str] | None = None) -> "pa.Table":
    """Read a whole folder of shards at once; for small tables."""
    import pyarrow as pa

    return pa.concat_tables(read_batches(source, columns))


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, so that equal values make equal bytes."""
    plain = (
        asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    )
    text = json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all."""
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def read_json(path: Path) -> Any:
    """Read JSON. Raises: DataError with the line at fault; StorageError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise storage_error(path, error) from error
    except ValueError as error:
        raise DataError(
            str(path), f"not valid JSON: {error}", fix="restore or rebuild this file"
        ) from error


def digest(value: Mapping[str, Any] | str | bytes) -> str:
    """SHA-256 of bytes, of text as UTF-8, or of a mapping as sorted JSON; 16 hex."""
    if isinstance(value, Mapping):
        value = json.dumps(value, sort_keys=True, ensure_ascii=False)
    data = value.encode() if isinstance(value, str) else value
    return hashlib.sha256(data).hexdigest()[:16]


def digest_files(folder: Path, patterns: Iterable[str] = ("*",)) -> str:
    """SHA-256 over names and bytes of a folder's files; the content's identity."""
    total = hashlib.sha256()
    files = {file for pattern in patterns for file in folder.glob(pattern)}
    for file in sorted(file for file in files if file.is_file()):
        total.update(file.name.encode() + b"\0")
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()[:16]
