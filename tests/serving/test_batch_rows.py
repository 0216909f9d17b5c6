"""Formats in and out, and rows that are wrong, with a completer without a model."""

import csv
import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from batch_runs import Echo, make_run, read_lines, results_of, write_lines

from graft.errors import DataError
from graft.serving.batch.plain_rows import RESULTS

TEXTS = ["The cat.", "été ☀️ 👩‍👩‍👧", "שלום", 'a "b",\nc', " x\u2028y "]


def write(path: Path, columns: dict[str, list[Any]]) -> Path:
    """A file in the format of its suffix."""
    if path.suffix == ".parquet":
        pq.write_table(pa.table(columns), path)
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writerows([list(columns), *zip(*columns.values(), strict=True)])
    else:
        rows = [dict(zip(columns, row)) for row in zip(*columns.values(), strict=True)]
        write_lines(path, rows)
    return path


def read(path: Path) -> dict[str, list[Any]]:
    """The columns of a file."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pydict()
    if path.suffix in (".csv", ".tsv"):
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(
                csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
            )
    else:
        rows = read_lines(path)
    return {name: [row[name] for row in rows] for name in rows[0]}


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson", "csv", "tsv", "parquet"])
@pytest.mark.parametrize("out_suffix", ["jsonl", "csv", "tsv", "parquet"])
def test_columns_and_completions_pass_from_any_format_to_any(
    tmp_path, suffix, out_suffix
):
    columns = {"id": [f"é{n}" for n in range(5)], "source": TEXTS}
    source = write(tmp_path / f"in.{suffix}", columns)
    out = tmp_path / f"out.{out_suffix}"
    assert make_run(source, out).run().num_answered == 5
    found = read(out)
    assert list(found) == ["id", "source", *RESULTS]
    assert {name: found[name] for name in columns} == columns
    assert found["completion"] == [text[::-1] for text in TEXTS]
    assert [int(number) for number in found["prompt_tokens"]] == [
        len(text) for text in TEXTS
    ]
    assert set(found["error"]) <= {None, ""}


def test_parquet_keeps_the_types_of_its_columns(tmp_path):
    day = datetime.date(2026, 11, 27)
    columns = {
        "prompt": pa.array(["a", "!"]),
        "day": pa.array([day, None]),
        "tags": pa.array([["x"], []], pa.list_(pa.string())),
        "raw": pa.array([b"\xff", None]),
        "score": pa.array([float("nan"), 1.5]),
    }
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table(columns), source)
    make_run(source, tmp_path / "out.parquet").run()
    found = pq.read_table(tmp_path / "out.parquet")
    for name, column in columns.items():
        assert found[name].combine_chunks().equals(column) or name == "score"
        assert found.schema.field(name).type == column.type
    make_run(source, tmp_path / "out.jsonl").run()
    first, second = read_lines(tmp_path / "out.jsonl")
    assert first["day"] == "2026-11-27" and first["tags"] == ["x"]
    assert first["raw"] == "/w==" and first["score"] is None
    assert second["error"] == "no answer to !"
    make_run(source, tmp_path / "out.csv").run()
    assert read(tmp_path / "out.csv")["day"] == ["2026-11-27", ""]
    assert read(tmp_path / "out.csv")["tags"] == ['["x"]', "[]"]


def test_a_parquet_row_with_invalid_bytes_fails_alone(tmp_path):
    data = pa.py_buffer(b"good\xff\xfebad.")
    offsets = pa.py_buffer(pa.array([0, 4, 10], pa.int32()).buffers()[1])
    broken = pa.StringArray.from_buffers(2, offsets, data)
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"prompt": broken, "id": [1, 2]}), source)
    counts = make_run(source, tmp_path / "out.parquet").run()
    assert (counts.num_answered, counts.num_failed) == (1, 1)
    found = pq.read_table(tmp_path / "out.parquet").to_pydict()
    assert found["prompt"] == ["good", None] and found["id"] == [1, 2]
    assert found["completion"] == ["doog", None]
    assert "bad bytes" in found["error"][1]


@pytest.mark.parametrize("out_suffix", ["jsonl", "csv", "parquet"])
def test_text_that_is_not_unicode_fails_alone(tmp_path, out_suffix):
    source = tmp_path / "in.jsonl"
    source.write_bytes(
        b'{"prompt": "ok"}\n{"prompt": "\\ud800"}\n{"prompt": "caf\xe9"}\n'
    )
    out = tmp_path / f"out.{out_suffix}"
    counts = make_run(source, out).run()
    assert (counts.num_answered, counts.num_failed) == (1, 2)
    found = read(out)
    assert found["prompt"][1:] == ["\ufffd", "caf\ufffd"]
    assert "surrogates" in found["error"][1]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("out_suffix", ["jsonl", "csv", "parquet"])
def test_a_file_without_rows_gives_an_output_without_rows(tmp_path, suffix, out_suffix):
    source = tmp_path / f"in.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.table({"prompt": pa.array([], pa.string())}), source)
    else:
        source.write_text("")
    out = tmp_path / f"out.{out_suffix}"
    counts = make_run(source, out).run()
    assert (counts.num_answered, counts.num_failed) == (0, 0)
    if out_suffix == "parquet":
        assert pq.read_table(out).num_rows == 0
        assert set(RESULTS) <= set(pq.read_schema(out).names)
    else:
        assert len(out.read_text().splitlines()) == (out_suffix == "csv")


def test_a_compressed_file_is_read(tmp_path):
    source = tmp_path / "in.jsonl.gz"
    source.write_bytes(gzip.compress(b'{"prompt": "ab"}\n'))
    make_run(source, tmp_path / "out.jsonl").run()
    assert results_of(tmp_path / "out.jsonl") == ["ba"]


def test_chats_may_be_lists_or_json_in_a_cell(tmp_path):
    chat = [{"role": "user", "content": "ab"}]
    lines = write_lines(
        tmp_path / "in.jsonl",
        [{"messages": chat}, {"messages": "[1]"}, {"messages": "{"}, {"messages": 1}],
    )
    make_run(lines, tmp_path / "lines.jsonl").run()
    assert results_of(tmp_path / "lines.jsonl") == ["ba", None, None, None]
    cells = write(tmp_path / "in.csv", {"messages": [json.dumps(chat)]})
    make_run(cells, tmp_path / "cells.jsonl").run()
    assert results_of(tmp_path / "cells.jsonl") == ["ba"]
    turns = [[{"role": "user", "content": "ab", "name": None}]]
    table = write(tmp_path / "in.parquet", {"messages": turns})
    completer = Echo()
    make_run(table, tmp_path / "table.jsonl", completer).run()
    assert completer.seen[0].body["messages"] == chat  # without the null of the struct


@pytest.mark.parametrize(
    "columns, path",
    [
        ({"source": "a", "target": "b"}, "/v1/tasks/translation"),
        ({"prompt": "a", "source": "b"}, "/v1/tasks/translation"),
        ({"prompt": "a"}, "/v1/completions"),
        ({"source": "a", "messages": [{"role": "user"}]}, "/v1/chat/completions"),
    ],
)
def test_the_columns_decide_how_prompts_are_made(tmp_path, columns, path):
    completer = Echo()
    source = write_lines(tmp_path / "in.jsonl", [columns])
    if "messages" in columns:
        columns["messages"][0]["content"] = "x"
        write_lines(source, [columns])
    make_run(source, tmp_path / "out.jsonl", completer).run()
    (request,) = completer.seen
    assert request.path == path and request.body["model"] == "echo/1"
    assert "target" not in request.body.get("fields", {})


@pytest.mark.parametrize(
    "name, text, error, match",
    [
        ("in.jsonl", '{"text": "a"}\n', DataError, "no column is a prompt"),
        ("in.jsonl", '{"prompt": "a", "error": 1}\n', DataError, "column 'error'"),
        ("in.jsonl", '[{"prompt": "a"}]\n', DataError, "JSON array"),
        ("in.parquet", "prompt\n", DataError, "not Parquet"),
        ("in.csv", "a,a\n1,2\n", DataError, "same name"),
        ("in.xlsx", "", DataError, "no known format"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_nothing_behind(
    tmp_path, name, text, error, match
):
    source = tmp_path / name
    source.write_text(text)
    with pytest.raises(error, match=match):
        make_run(source, tmp_path / "out.jsonl").run()
    assert list(tmp_path.iterdir()) == [source]


def test_a_missing_file_and_an_unknown_output_are_errors(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        make_run(tmp_path / "none.jsonl", tmp_path / "out.jsonl")
    source = write_lines(tmp_path / "in.jsonl", [{"prompt": "a"}])
    with pytest.raises(DataError, match="suffix .txt"):
        make_run(source, tmp_path / "out.txt")
