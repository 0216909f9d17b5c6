"""Shards and temporary files."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graft import io
from graft.errors import DataError
from graft.io import shards

SCHEMA = pa.schema([("where", pa.string()), ("n", pa.int64())])


def table(*numbers: int) -> pa.Table:
    return pa.table(
        {"where": [f"f:{n}" for n in numbers], "n": pa.array(numbers, pa.int64())},
        SCHEMA,
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 9), max_size=5), max_size=6))
def test_rows_come_back_in_order(tmp_path: Path, parts: list[list[int]]) -> None:
    written = io.write_batches(tmp_path / "out", (table(*p) for p in parts), SCHEMA)
    flat = [n for part in parts for n in part]
    assert io.read_table(tmp_path / "out")["n"].to_pylist() == flat
    assert written == {"num_rows": len(flat), "num_shards": 1}
    assert io.num_rows(tmp_path / "out") == len(flat)


def test_a_shard_ends_by_rows_and_by_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "ROWS_PER_SHARD", 4)
    tables = [table(*range(3)) for _ in range(5)]
    assert io.write_batches(tmp_path / "a", tables, SCHEMA)["num_shards"] == 3
    monkeypatch.setattr(shards, "BYTES_PER_SHARD", 1)
    assert io.write_batches(tmp_path / "b", tables, SCHEMA)["num_shards"] == 5
    assert io.read_table(tmp_path / "a").equals(io.read_table(tmp_path / "b"))


def test_a_failed_write_leaves_the_previous_output(tmp_path: Path) -> None:
    io.write_batches(tmp_path / "out", [table(1)], SCHEMA)

    def broken():
        yield table(2)
        raise ValueError

    with pytest.raises(ValueError):
        io.write_batches(tmp_path / "out", broken(), SCHEMA)
    assert io.read_table(tmp_path / "out")["n"].to_pylist() == [1]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_temporary_file_is_read_several_times_and_removed(tmp_path: Path) -> None:
    tables = [table(1, 2), table(), table(3)]
    keys = pa.array([7, 8, 2**64 - 1], pa.uint64())
    expected = pa.concat_tables(tables).combine_chunks().append_column("key", keys)
    parts = [expected.slice(0, 2), expected.slice(2)]
    with io.scratch(tmp_path / "out", parts, expected.schema) as found:
        for _ in range(2):
            assert [n for t in found.tables(["n"]) for n in t["n"].to_pylist()] == [
                *(1, 2, 3)
            ]
        assert found.numbers("key").tolist() == keys.to_pylist()
        assert pa.concat_tables(found.tables()).equals(expected.drop(["key"]))
        (hidden,) = tmp_path.iterdir()
        assert hidden.name.startswith(".")
    assert not list(tmp_path.iterdir())


def test_a_broken_shard_is_named(tmp_path: Path) -> None:
    io.write_batches(tmp_path / "out", [table(1)], SCHEMA)
    (tmp_path / "out" / "part-00001.parquet").write_bytes(b"PAR1 broken")
    with pytest.raises(DataError, match="part-00001"):
        list(io.read_batches(tmp_path / "out"))
    with pytest.raises(DataError, match="part-00001"):
        io.num_rows(tmp_path / "out")
