"""Sources of several files of which one is broken, empty, or unlike the others."""

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from test_data_stages import contents, to_clean, to_examples

from graft import io
from graft.errors import DataError

BOTH = ["en", "fr"]


def frame(part: int, num_rows: int = 50) -> pl.DataFrame:
    number = pl.int_range(part * num_rows, (part + 1) * num_rows, eager=True)
    return pl.DataFrame({side: number.cast(pl.String) + side for side in BOTH})


def write_shards(folder: Path, ending: str) -> list[Path]:
    shards = [folder / f"rows-{part}.{ending}" for part in range(5)]
    for part, shard in enumerate(shards):
        if ending == "parquet":
            table = frame(part, 20_000).to_arrow()
            pq.write_table(table, shard, write_page_checksum=True)
        else:
            text = frame(part, 20_000).write_ndjson()
            shard.write_bytes(gzip.compress(text.encode(), mtime=0))
    return shards


def truncate(shard: Path) -> None:
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])


def spoil(shard: Path) -> None:
    """Another bit in the middle of the data; head and foot are as they were."""
    data = bytearray(shard.read_bytes())
    middle = len(data) // 2
    data[middle] ^= 1
    shard.write_bytes(data)


def empty(shard: Path) -> None:
    shard.write_bytes(b"")


@pytest.mark.parametrize(
    ("ending", "damage"),
    [
        ("parquet", truncate),
        ("parquet", spoil),
        ("parquet", empty),
        ("jsonl.gz", truncate),
        ("jsonl.gz", spoil),
    ],
)
def test_a_broken_third_file_is_an_error_and_nothing_is_written(
    tmp_path: Path, make_data, ending: str, damage: Any
) -> None:
    damage(write_shards(tmp_path, ending)[2])
    kind = ending.partition(".")[0]
    data = make_data(format=kind, files={"all": f"*.{ending}"})
    with pytest.raises(DataError) as caught:
        to_examples(data, tmp_path / "out")
    assert f"rows-2.{ending}" in caught.value.where
    assert caught.value.fix
    assert not contents(tmp_path / "out")
    assert not list((tmp_path / "out").glob(".*"))


def test_a_shard_of_an_earlier_stage_with_another_bit_is_found(
    tmp_path: Path, make_data
) -> None:
    write_shards(tmp_path, "parquet")
    data = make_data(format="parquet", files={"all": "*.parquet"})
    to_examples(data, tmp_path / "out")
    (shard,) = (tmp_path / "out/converted").glob("*.parquet")
    spoil(shard)
    with pytest.raises(DataError, match="part-00000.parquet: cannot be read"):
        list(io.read_batches(tmp_path / "out/converted"))


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_an_empty_file_among_others_is_no_fault(
    tmp_path: Path, make_data, ending: str
) -> None:
    for part in range(3):
        rows = frame(part) if part != 1 else frame(part).clear()
        path = tmp_path / f"rows-{part}.{ending}"
        write = rows.write_parquet if ending == "parquet" else rows.write_ndjson
        write(path)
    to_examples(
        make_data(format=ending, files={"all": f"*.{ending}"}), tmp_path / "out"
    )
    assert io.num_rows(tmp_path / "out/converted") == 100


def test_a_file_of_another_schema_costs_its_own_rows_only(
    tmp_path: Path, make_data
) -> None:
    frame(0).write_parquet(tmp_path / "rows-0.parquet")
    frame(1).drop("fr").write_parquet(tmp_path / "rows-1.parquet")
    numbers = pl.int_range(50, eager=True)
    frame(2).with_columns(fr=numbers).write_parquet(tmp_path / "rows-2.parquet")
    frame(3).select("fr", "en").write_parquet(tmp_path / "rows-3.parquet")
    large = frame(4).with_columns(pl.col("en").cast(pl.Categorical), extra=numbers)
    large.write_parquet(tmp_path / "rows-4.parquet")
    data = make_data(format="parquet", files={"all": "*.parquet"})
    to_examples(data, tmp_path / "out", max_rejects=1000)
    report = io.read_json(tmp_path / "out/convert.json")
    assert report["rejected"] == {"missing field fr": 50, "wrong type in fr": 50}
    assert report["kept"] == 150


def write_flood(folder: Path, num_rows: int) -> None:
    lines = (json.dumps({"en": f"number {n}"}) for n in range(num_rows))
    text = '{"en": "a", "fr": "b"}\n' + "\n".join(lines)
    (folder / "pairs.jsonl").write_text(text, "utf-8")


def test_a_flood_of_bad_rows_stops_early_and_names_the_first(
    tmp_path: Path, make_data
) -> None:
    write_flood(tmp_path, 40_000)
    with pytest.raises(DataError) as caught:
        to_examples(make_data(), tmp_path / "out", max_rejects=200)
    assert "201 of the first 202 rows were rejected" in str(caught.value)
    assert "pairs.jsonl:2: missing field fr" in str(caught.value)
    assert len(str(caught.value)) < 2000
    assert not contents(tmp_path / "out")


def test_a_flood_that_is_allowed_is_put_aside_row_by_row(
    tmp_path: Path, make_data
) -> None:
    write_flood(tmp_path, 40_000)
    to_examples(make_data(), tmp_path / "out", max_rejects=40_000)
    assert io.num_rows(tmp_path / "out/rejects") == 40_000


def test_a_line_of_many_megabytes_is_a_row_like_others(
    tmp_path: Path, make_data
) -> None:
    rows = [{"en": f"number {n}", "fr": f"numéro {n}"} for n in range(3)]
    rows[1]["fr"] = "un été <b> 06 12 \u200b" * 50_000
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines), "utf-8")
    to_examples(make_data(), tmp_path / "out")
    to_clean(tmp_path / "out")
    (reject,) = io.read_table(tmp_path / "out/dropped").to_pylist()
    assert (reject["where"], reject["reason"]) == ("pairs.jsonl:2", "too long")
    assert len(reject["value"]) < 300
