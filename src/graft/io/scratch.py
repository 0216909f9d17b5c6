"""What a stage writes for itself, to read it several times."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from graft.io.files import remove, storage_error

if TYPE_CHECKING:
    import pyarrow as pa

    Read = Callable[..., Iterator[pa.Table]]


@contextmanager
def scratch(
    out: Path, tables: "Iterable[pa.Table]", schema: "pa.Schema"
) -> "Iterator[Read]":
    """Write tables to a hidden file beside `out`; give what reads them again.

    Arrow's own form, not packed: written and read as fast as the disk, a column alone
    too. The file is removed at the end, or by the next run if this one is killed.
    """
    import pyarrow as pa

    path = out.with_name(f".{out.name}.scratch.partial")

    def read(columns: Sequence[str] | None = None) -> "Iterator[pa.Table]":
        """Tables in order, with all columns or these."""
        fields = (
            None if columns is None else [schema.get_field_index(c) for c in columns]
        )
        options = pa.ipc.IpcReadOptions(included_fields=fields)
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file, options=options) as f:
            for number in range(f.num_record_batches):
                table = pa.Table.from_batches([f.get_batch(number)])
                yield table if columns is None else table.select(columns)

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove(path)
        with (
            pa.OSFile(str(path), "wb") as file,
            pa.ipc.new_file(file, schema) as writer,
        ):
            for table in tables:
                writer.write_table(table.combine_chunks())
        yield read
    except OSError as error:
        raise storage_error(path, error) from error
    finally:
        remove(path)
