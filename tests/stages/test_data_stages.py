"""convert, preprocess and validate as whole stages."""

import json
from pathlib import Path

import pytest
from settings import TASK
from translation_pairs import preprocess_config

from graft import cli, io
from graft.config import (
    ConvertConfig,
    EngineConfig,
    ValidateConfig,
)
from graft.errors import ConfigError, DataError
from graft.stages import convert, preprocess, validate

LOCAL = EngineConfig(name="local", cluster=None)
CLEAN = preprocess_config(max_chars=1000)


def write_pairs(path: Path, num_pairs: int) -> None:
    lines = [
        json.dumps({"en": f"number {n}", "fr": f"numéro {n}"}) for n in range(num_pairs)
    ]
    dirt = ['{"en": "a"}', '{"en": "b', lines[0], '{"en": "same", "fr": "same"}']
    path.write_text("\n".join([*lines, *dirt]), encoding="utf-8")


def to_examples(data, folder: Path, max_rejects: int = 5) -> None:
    convert.run(
        ConvertConfig(max_rejects=max_rejects),
        data,
        TASK,
        LOCAL,
        folder / "converted",
        folder / "rejects",
        folder / "convert.json",
    )


def to_clean(folder: Path) -> None:
    preprocess.run(
        CLEAN,
        LOCAL,
        folder / "converted",
        folder / "decisions",
        folder / "clean",
        folder / "dropped",
        folder / "review.csv",
        folder / "preprocess.json",
    )


def contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_every_row_is_found_again_after_each_stage(
    tmp_path: Path, make_data, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pairs(tmp_path / "pairs.jsonl", 200)
    to_examples(make_data(), tmp_path / "out")
    to_clean(tmp_path / "out")
    first = io.read_json(tmp_path / "out/convert.json")
    second = io.read_json(tmp_path / "out/preprocess.json")
    assert (first["rows_in"], first["kept"], first["num_rejected"]) == (204, 202, 2)
    assert (second["rows_in"], second["kept"], second["num_rejected"]) == (202, 200, 2)
    assert second["rejected"] == {"duplicate": 1, "identical sides": 1}
    assert io.read_table(tmp_path / "out/clean").num_rows == 200
    assert io.read_table(tmp_path / "out/dropped")["where"].to_pylist() == [
        "pairs.jsonl:203",
        "pairs.jsonl:204",
    ]
    said = capsys.readouterr().out
    assert "convert: 204 rows in = 202 kept + 2 rejected" in said
    assert "preprocess: 202 rows in = 200 kept + 2 rejected" in said


def test_the_same_rows_make_the_same_bytes_anywhere(tmp_path: Path, make_data) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_pairs(tmp_path / name / "pairs.jsonl", 50)
        to_examples(make_data(root=tmp_path / name), tmp_path / name / "out")
        to_clean(tmp_path / name / "out")
    assert contents(tmp_path / "one/out") == contents(tmp_path / "two/out")


def test_nothing_is_written_past_the_limit_of_rejects(
    tmp_path: Path, make_data
) -> None:
    write_pairs(tmp_path / "pairs.jsonl", 50)
    with pytest.raises(DataError, match="2 of the first 52 rows"):
        to_examples(make_data(), tmp_path / "out", max_rejects=1)
    assert not contents(tmp_path / "out")


def test_an_unmapped_field_is_an_error_before_a_row_is_read(
    tmp_path: Path, make_data
) -> None:
    with pytest.raises(ConfigError, match="needs target"):
        to_examples(make_data(fields={"source": "en"}), tmp_path / "out")


def test_a_failed_contract_still_leaves_its_report_and_its_page(
    tmp_path: Path, make_data
) -> None:
    write_pairs(tmp_path / "pairs.jsonl", 50)
    to_examples(make_data(), tmp_path)
    paths = (tmp_path / "converted", tmp_path / "v.json", tmp_path / "v.html")
    budget = {"max_errors": 0, "max_leaked": 0, "num_shown": 3}
    with pytest.raises(DataError, match="52 examples are too few"):
        validate.run(ValidateConfig(min_examples=100, **budget), *paths)
    assert io.read_json(tmp_path / "v.json")["passed"] is False
    assert "failed" in (tmp_path / "v.html").read_text(encoding="utf-8")


def test_a_run_that_breaks_off_leaves_no_half_result(
    tmp_path: Path, make_data, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pairs(tmp_path / "pairs.jsonl", 50)
    to_examples(make_data(), tmp_path)
    (shard,) = (tmp_path / "converted").glob("*.parquet")
    shard.write_bytes(shard.read_bytes()[:-100])

    def run() -> None:
        to_clean(tmp_path)

    with pytest.raises(SystemExit):
        cli.stage(run, [])
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "clean").exists()
    assert not list(tmp_path.glob(".*"))
