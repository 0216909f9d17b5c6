"""Temporary tables that a stage writes once and reads several times."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from graft.io.files import remove, storage_error

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa


class Scratch:
    """Rows in a folder: a raw file for each column of 64-bit integers, and an
    uncompressed Arrow file for the other columns."""

    def __init__(self, folder: Path, schema: "pa.Schema") -> None:
        import pyarrow as pa

        self._folder = folder
        self._numbers = [f.name for f in schema if f.type == pa.uint64()]
        self._rest = pa.schema([f for f in schema if f.name not in self._numbers])

    def write(self, tables: "Iterable[pa.Table]") -> None:
        """Write all rows; they are read in the same batches."""
        import pyarrow as pa

        self._folder.mkdir(parents=True)
        with ExitStack() as stack:
            file = stack.enter_context(pa.OSFile(str(self._folder / "rest"), "wb"))
            rest = stack.enter_context(pa.ipc.new_file(file, self._rest))
            raw = {
                name: stack.enter_context((self._folder / name).open("wb"))
                for name in self._numbers
            }
            for table in tables:
                rest.write_table(table.select(self._rest.names).combine_chunks())
                for name, stream in raw.items():
                    stream.write(table[name].to_numpy().tobytes())

    def tables(self, columns: Sequence[str] | None = None) -> "Iterator[pa.Table]":
        """Tables in order, with these columns, or all but those of integers."""
        import pyarrow as pa

        with pa.OSFile(str(self._folder / "rest")) as file:
            reader = pa.ipc.open_file(file)
            for number in range(reader.num_record_batches):
                table = pa.Table.from_batches([reader.get_batch(number)])
                yield table if columns is None else table.select(columns)

    def numbers(self, name: str) -> "npt.NDArray[np.uint64]":
        """A column of integers. Shape [rows]."""
        import numpy as np

        return np.fromfile(self._folder / name, np.uint64)


@contextmanager
def scratch(
    out: Path, tables: "Iterable[pa.Table]", schema: "pa.Schema"
) -> Iterator[Scratch]:
    """Tables in a hidden folder beside `out`, without compression.

    The folder is removed at the end, or by the next run if this one is killed.
    """
    folder = out.with_name(f".{out.name}.scratch.partial")
    found = Scratch(folder, schema)
    try:
        remove(folder)
        found.write(tables)
        yield found
    except OSError as error:
        raise storage_error(folder, error) from error
    finally:
        remove(folder)
