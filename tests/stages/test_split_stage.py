"""The split stage as a whole."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from settings import LEAKAGE

from graft import io
from graft.config import SplitConfig
from graft.errors import DataError
from graft.records import REJECT_SCHEMA, SEQUENCE_SCHEMA, SPLITS
from graft.stages.split import run

CONFIG = SplitConfig(validation=0.2, test=0.0, seed=1, leakage=None)
TEXT = "the little grey cat slept all day on the warm roof of the old barn"


def sequences(num_rows: int, texts: dict[int, str]) -> pa.Table:
    """Sequences of which each tenth is official test, and one shares its group."""
    rows = [
        {
            "id": f"id{i}",
            "messages": [{"role": "user", "content": texts.get(i, f"say {i}")}],
            "references": [],
            "group": "10" if i == 11 else str(i),
            "stratum": "odd" if i % 2 else "even",
            "split": None if i % 10 else "test",
            "where": f"f:{i}",
            "input_ids": [i],
            "loss_mask": [True],
            "num_bytes": 1,
            "augmented": False,
        }
        for i in range(num_rows)
    ]
    return pa.Table.from_pylist(rows, SEQUENCE_SCHEMA)


def split(
    folder: Path,
    num_rows: int,
    texts: dict[int, str] | None = None,
    config: SplitConfig = CONFIG,
    change: Callable[[pa.Table], pa.Table] = lambda table: table,
) -> dict[str, list[str]]:
    half = num_rows // 2
    table = change(sequences(num_rows, texts or {}))
    io.write_batches(
        folder / "tokens", [table.slice(0, half), table.slice(half)], SEQUENCE_SCHEMA
    )
    run(
        config,
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


@pytest.mark.parametrize(
    ("num_rows", "changes", "name"),
    [
        (0, {}, "train"),
        (100, {"validation": 0.0}, "validation"),
        (1, {}, "train"),  # one official row of test
        (4, {"validation": 0.001}, "validation"),  # too few groups for the share
    ],
)
def test_an_empty_split_is_an_error_before_anything_is_trained(
    tmp_path: Path, num_rows: int, changes: dict[str, float], name: str
) -> None:
    with pytest.raises(DataError) as caught:
        split(tmp_path, num_rows, config=CONFIG.model_copy(update=changes))
    assert caught.value.where == f"split {name}"
    assert f"split.{name}" in caught.value.fix or name == "train"
    assert not (tmp_path / "splits").exists() and not (tmp_path / "rejects").exists()


def test_no_test_split_at_all_is_an_error(tmp_path: Path) -> None:
    def free(table: pa.Table) -> pa.Table:
        rows = [row | {"split": None} for row in table.to_pylist()]
        return pa.Table.from_pylist(rows, SEQUENCE_SCHEMA)

    with pytest.raises(DataError, match="split test: has none of the 40 sequences"):
        split(tmp_path, 40, change=free)


def test_leaks_that_empty_train_are_an_error(tmp_path: Path) -> None:
    texts = {i: f"{TEXT} {i}" for i in range(40)}
    with pytest.raises(DataError, match="split train") as caught:
        split(tmp_path, 40, texts, with_leakage(max_common=100))
    assert "rejects" in caught.value.problem and "leaked" in caught.value.fix


LEAKING = {10: TEXT, 16: f"Now: {TEXT.upper()}.", 17: f"now {TEXT}"}


def with_leakage(**changes: object) -> SplitConfig:
    return CONFIG.model_copy(update={"leakage": LEAKAGE.model_copy(update=changes)})


def test_a_train_row_that_leaks_is_rejected_and_reported(tmp_path: Path) -> None:
    before = split(tmp_path / "a", 40)
    after = split(tmp_path / "b", 40, LEAKING, with_leakage())
    gone = {f"id{i}" for i in (16, 17)} & set(before["train"])
    assert len(gone) == 2 and set(before["train"]) - set(after["train"]) == gone
    assert {name: before[name] for name in SPLITS[1:]} == {
        name: after[name] for name in SPLITS[1:]
    }
    rejects = io.read_table(tmp_path / "b/rejects").to_pylist()
    values = [row["value"] for row in rejects if row["reason"].startswith("overlaps")]
    assert len(values) == len(gone)
    assert all("f:10 (id id10)" in value and "grey cat" in value for value in values)
    report = io.read_json(tmp_path / "b/report.json")
    assert report["leakage"]["num_leaked"] == len(gone)
    assert sum(report["counts"].values()) == 40


def test_a_policy_that_fails_leaves_no_splits(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="f:16"):
        split(tmp_path, 40, LEAKING, with_leakage(policy="fail"))
    assert not (tmp_path / "splits").exists() and not (tmp_path / "rejects").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("kind", ["jsonl", "txt", "parquet"])
def test_train_is_compared_with_named_benchmark_files(
    tmp_path: Path, kind: str
) -> None:
    file = tmp_path / f"known.{kind}"
    if kind == "jsonl":
        file.write_text(f'{{"a": "no"}}\n\n{{"q": [{{"text": "{TEXT}"}}]}}\n')
    elif kind == "txt":
        file.write_text(f"no\n\n{TEXT}\n")
    else:
        pq.write_table(pa.table({"q": ["no", None, TEXT]}), file)
    config = with_leakage(policy="report", benchmarks=[file])
    found = split(tmp_path, 40, {16: TEXT}, config)
    (pair,) = io.read_json(tmp_path / "report.json")["leakage"]["pairs"]
    assert pair["where"] == "f:16" and pair["held_out"] == f"{file}:3"
    assert "id16" in found["train"]


@pytest.mark.parametrize(
    ("content", "place"), [(b'{"a": 1}\n{"b"\n', ":2"), (b"\xff\xfe", ":1")]
)
def test_a_broken_benchmark_file_is_an_error_with_its_line(
    tmp_path: Path, content: bytes, place: str
) -> None:
    file = tmp_path / "known.jsonl"
    file.write_bytes(content)
    with pytest.raises(DataError, match=f"known.jsonl{place}"):
        split(tmp_path, 40, {}, with_leakage(benchmarks=[file]))


def test_a_missing_benchmark_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere.jsonl: no such file"):
        split(tmp_path, 40, {}, with_leakage(benchmarks=[tmp_path / "nowhere.jsonl"]))
