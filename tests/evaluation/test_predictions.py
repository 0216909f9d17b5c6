import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from graft import io
from graft.errors import DataError
from graft.evaluation.predictions import read_predictions
from graft.records import PREDICTION_SCHEMA, Prediction

ROW: dict[str, Any] = {
    "id": "1",
    "stratum": "s",
    "prompt": "p",
    "references": ["r"],
    "base": "b",
    "tuned": "t",
    "group": "",
    "history": [],
}


def write(folder: Path, *rows: dict[str, Any], without: str = "") -> Path:
    names = [name for name in PREDICTION_SCHEMA.names if name != without]
    schema = pa.schema([PREDICTION_SCHEMA.field(name) for name in names])
    io.write_batches(folder, [pa.Table.from_pylist(list(rows), schema=schema)], schema)
    return folder


def test_predictions_are_read_in_order(tmp_path: Path) -> None:
    folder = write(tmp_path / "table", ROW, ROW | {"id": "0", "base_nll": 2.5})
    first, second = read_predictions(folder)
    assert first == Prediction(**ROW)
    assert (second.id, second.base_nll) == ("0", 2.5)


def test_a_table_without_likelihoods_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "table", ROW, without="base_nll")
    assert read_predictions(folder) == [Prediction(**ROW)]


@pytest.mark.parametrize(
    ("rows", "without", "said"),
    [
        ([], "", "contains no predictions"),
        ([ROW, ROW | {"base": "x"}], "", "same id"),
        ([ROW], "tuned", "no column tuned"),
    ],
)
def test_an_invalid_table_is_an_error_with_the_way_to_generate_it(
    tmp_path: Path, rows: list[dict[str, Any]], without: str, said: str
) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read_predictions(write(tmp_path / "table", *rows, without=without))
    assert "dvc repro -s -f generate" in caught.value.fix


def test_a_missing_table_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no Parquet shard"):
        read_predictions(tmp_path)


def test_a_json_line_ends_only_at_a_newline(tmp_path: Path) -> None:
    odd = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei"
    row = {"references": [odd], "base": odd, "tuned": odd, "prompt": odd}
    path = tmp_path / "answers.jsonl"
    text = json.dumps(row, ensure_ascii=False) + "\r\n"
    path.write_bytes(("\ufeff" + text * 2).encode())
    first, second = read_predictions(path)
    assert first.base == second.prompt == odd and second.id == "2"


def test_json_lines_of_other_systems_need_only_the_required_fields(
    tmp_path: Path,
) -> None:
    path = tmp_path / "answers.jsonl"
    lines = [
        {"references": ["r"], "base": "b", "tuned": "t"},
        ROW | {"id": "x", "base_nll": 2.5},
    ]
    path.write_text("\n\n".join(map(json.dumps, lines)), encoding="utf-8")
    first, second = read_predictions(path)
    assert first == Prediction("1", "all", "", ["r"], "b", "t")
    assert (second.id, second.stratum, second.base_nll) == ("x", "s", 2.5)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"references": ["r"], "base": "b"}', "tuned: "),
        ('{"references": "r", "base": "b", "tuned": "t"}', "references: "),
        ('{"references": ["r"], "base": "b", "tuned": "t", "gold": 1}', "gold: "),
        ('{"references": [', "not JSON"),
        ("[1]", "not a prediction"),
    ],
)
def test_an_invalid_line_is_an_error_with_its_position(
    tmp_path: Path, line: str, told: str
) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text("\n" + line, encoding="utf-8")
    with pytest.raises(DataError, match=told) as caught:
        read_predictions(path)
    assert caught.value.where == f"{path}:2"
