"""Parquet."""

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from source_rows import read_rows

from graft.errors import DataError
from graft.records import Reject
from graft.sources import read_row_batches


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


def test_text_that_is_not_utf8_rejects_its_row_only(tmp_path: Path, make_data) -> None:
    raw = pa.array([b"good", b"caf\xe9", b"too"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    pq.write_table(pa.table({"en": text, "fr": text}), tmp_path / "a.parquet")
    found = list(read_rows(make_data(format="parquet", files={"all": "a.parquet"})))
    assert [isinstance(row, Reject) for row in found] == [False, True, False]
    assert found[1].where == "a.parquet:2" and found[1].reason == "bad bytes"


def write(path: Path, **columns: object) -> None:
    pq.write_table(pa.table(columns), path)


def pairs(make_data, **changes):
    return make_data(format="parquet", files={"all": "*.parquet"}, **changes)


def test_two_columns_of_one_name_are_refused_if_that_name_is_read(
    tmp_path: Path, make_data
) -> None:
    columns = [pa.array(["a"]), pa.array(["b"]), pa.array([1]), pa.array([2])]
    for names, problem in (
        (["en", "fr", "fr", "x"], "same name, 'fr'"),
        (["en", "fr", "x", "x"], None),
    ):
        table = pa.Table.from_arrays(columns, names=names)
        pq.write_table(table, tmp_path / "a.parquet")
        if problem is None:
            assert list(read_rows(pairs(make_data)))[0].values == {"en": "a", "fr": "b"}
            continue
        with pytest.raises(DataError, match=problem):
            list(read_rows(pairs(make_data)))


def test_two_places_of_one_name_in_a_struct_are_refused(
    tmp_path: Path, make_data
) -> None:
    inner = pa.StructArray.from_arrays([pa.array(["a"]), pa.array(["b"])], ["en", "en"])
    write(tmp_path / "a.parquet", t=inner)
    with pytest.raises(DataError, match="same name, 'en'"):
        list(read_rows(pairs(make_data, fields={"source": "t.en"})))


@pytest.mark.parametrize("path", ["t.en", "t[0]", "t[0].en", "t"])
def test_a_path_reads_its_column_and_no_other(
    tmp_path: Path, make_data, path: str
) -> None:
    write(tmp_path / "a.parquet", t=["a"], tt=["b"], en=["c"])
    (row,) = read_rows(pairs(make_data, fields={"source": path}))
    assert set(row.values) == {"t"}


def test_a_column_that_is_not_named_is_never_decoded(tmp_path: Path, make_data) -> None:
    odd = {"1": [1, 2], "2": ["x", None], "3": [b"\xff", b""]}
    for name, values in odd.items():
        write(tmp_path / f"{name}.parquet", en=["a", "b"], fr=["c", "d"], odd=values)
    found = list(read_rows(pairs(make_data)))
    assert [row.values for row in found] == [
        {"en": "a", "fr": "c"},
        {"en": "b", "fr": "d"},
    ] * 3


def test_a_file_without_the_columns_is_counted_and_not_decoded(
    tmp_path: Path, make_data
) -> None:
    write(tmp_path / "a.parquet", odd=[1, 2], other=["x", "y"])
    found = list(read_rows(pairs(make_data)))
    assert [row.where for row in found] == ["a.parquet:1", "a.parquet:2"]
    assert found[0].values == {"odd": None, "other": None}


def test_every_string_type_of_parquet_is_text(tmp_path: Path, make_data) -> None:
    texts = pa.array(["a", "b", "a"])
    kinds = [pa.string(), pa.large_string(), pa.string_view()]
    kept = [texts.cast(kind) for kind in kinds] + [texts.dictionary_encode()]
    for number, values in enumerate(kept):
        write(tmp_path / f"{number}.parquet", en=values, fr=texts)
    batches = list(read_row_batches(pairs(make_data)))
    assert [batch.texts("en").to_list() for batch in batches] == [["a", "b", "a"]] * 4


def test_a_value_that_python_cannot_represent_rejects_its_row(
    tmp_path: Path, make_data
) -> None:
    when = pa.array([0, 1 << 62, 1], pa.timestamp("us"))
    write(tmp_path / "a.parquet", en=["a"] * 3, fr=["b"] * 3, when=when)
    found = list(read_rows(pairs(make_data, group="when")))
    assert [isinstance(row, Reject) for row in found] == [False, True, False]
