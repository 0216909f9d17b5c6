"""Parquet."""

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graft.errors import DataError
from graft.records import Reject
from graft.sources import read_rows


def test_only_named_columns_are_read_and_nested_ones_by_path(
    tmp_path: Path, make_data
) -> None:
    rows = {"t": [{"en": "a", "fr": "b"}] * 3, "more": [1, 2, 3], "kind": ["x"] * 3}
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    data = make_data(
        format="parquet",
        files={"train": "a.parquet"},
        fields={"source": "t.en", "target": "t.fr"},
        stratum="kind",
    )
    found = list(read_rows(data))
    assert [row.where for row in found] == [f"a.parquet:{n}" for n in (1, 2, 3)]
    assert set(found[0].values) == {"t", "kind"}
    assert found[0].get("t.fr") == "b" and found[0].split == "train"


def test_a_cut_file_is_refused(tmp_path: Path, make_data) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"en": ["a"] * 100, "fr": ["b"] * 100}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        list(read_rows(make_data(format="parquet", files={"all": "a.parquet"})))


def test_text_that_is_not_utf8_costs_its_row_only(tmp_path: Path, make_data) -> None:
    raw = pa.array([b"good", b"caf\xe9", b"too"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    pq.write_table(pa.table({"en": text, "fr": text}), tmp_path / "a.parquet")
    found = list(read_rows(make_data(format="parquet", files={"all": "a.parquet"})))
    assert [isinstance(row, Reject) for row in found] == [False, True, False]
    assert found[1].where == "a.parquet:2" and found[1].reason == "bad bytes"
