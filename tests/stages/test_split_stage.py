"""The split stage as a whole."""

from pathlib import Path

import pyarrow as pa
import pytest

from graft import io
from graft.config import SplitConfig
from graft.records import REJECT_SCHEMA, SEQUENCE_SCHEMA, SPLITS
from graft.stages.split import run

CONFIG = SplitConfig(validation=0.2, test=0.0, seed=1)


def sequences(num_rows: int) -> pa.Table:
    """Sequences of which each tenth is official test, and one shares its group."""
    rows = [
        {
            "id": f"id{i}",
            "messages": [{"role": "user", "content": "a"}],
            "references": [],
            "group": "10" if i == 11 else str(i),
            "stratum": "odd" if i % 2 else "even",
            "split": None if i % 10 else "test",
            "where": f"f:{i}",
            "input_ids": [i],
            "learned": [True],
            "num_bytes": 1,
            "augmented": False,
        }
        for i in range(num_rows)
    ]
    return pa.Table.from_pylist(rows, SEQUENCE_SCHEMA)


def split(folder: Path, num_rows: int) -> dict[str, list[str]]:
    half = num_rows // 2
    table = sequences(num_rows)
    io.write_batches(
        folder / "tokens", [table.slice(0, half), table.slice(half)], SEQUENCE_SCHEMA
    )
    run(
        CONFIG,
        sequences=folder / "tokens",
        out=folder / "splits",
        rejects=folder / "rejects",
        report=folder / "report.json",
    )
    tables = {name: io.read_table(folder / "splits" / name) for name in SPLITS}
    assert all(table.schema.equals(SEQUENCE_SCHEMA) for table in tables.values())
    return {name: table["id"].to_pylist() for name, table in tables.items()}


def test_every_sequence_is_in_one_split_or_among_the_rejects(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = split(tmp_path, 100)
    rejects = io.read_table(tmp_path / "rejects")
    assert rejects.schema.equals(REJECT_SCHEMA)
    assert rejects["where"].to_pylist() == ["f:11"]
    ids = [one for split_ids in found.values() for one in split_ids]
    assert sorted([*ids, "id11"]) == sorted(f"id{i}" for i in range(100))
    assert found["test"] == [f"id{i}" for i in range(0, 100, 10)]
    report = io.read_json(tmp_path / "report.json")
    assert report["balance"] in capsys.readouterr().out
    assert report["counts"] == {n: len(i) for n, i in found.items()} | {
        "rejects": 1,
        "paraphrases_left_out": 0,
    }
    assert found["validation"] and found["train"]


def test_more_sequences_leave_the_old_ones_where_they_were(tmp_path: Path) -> None:
    before = split(tmp_path, 60)
    after = split(tmp_path, 120)
    for name in SPLITS:
        assert set(before[name]) <= set(after[name])


def test_nothing_to_split_makes_three_empty_splits(tmp_path: Path) -> None:
    assert split(tmp_path, 0) == {name: [] for name in SPLITS}
