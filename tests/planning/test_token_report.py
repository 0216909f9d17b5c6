"""A tokenize report counts only for the parameters that it was written with."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from graft import io
from graft.planning.token_report import read_token_report

PARAMS = {
    "convert": {"max_rejects": 1},
    "data": {"name": "a", "files": {"all": "a.jsonl"}},
    "preprocess": {"min_chars": 1},
    "prompt": {"pattern": "{source}", "date": None},
    "evaluate": {"metrics": ["bleu"]},
    "model": {"path": "m", "revision": "1"},
    "tokenize": {"max_seq_len": 512},
    "train": {"epochs": 1},
}


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A report, and the dvc.lock of the run that wrote it."""
    path = tmp_path / "tokenize.json"
    io.write_json(path, {"tokens": 1000})
    digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    sections = {
        "convert": {"convert": PARAMS["convert"], "data": PARAMS["data"]},
        "preprocess": {"preprocess": PARAMS["preprocess"]},
        "tokenize": {
            "model": PARAMS["model"],
            "prompt.pattern": PARAMS["prompt"]["pattern"],  # a single key
            "tokenize": PARAMS["tokenize"],
        },
    }
    stages: dict[str, Any] = {
        name: {"params": {"params.yaml": values}, "outs": []}
        for name, values in sections.items()
    }
    stages["tokenize"]["outs"] = [{"path": "reports/tokenize.json", "md5": digest}]
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump({"stages": stages}), "utf-8")
    return path


def read(report: Path, **changes: dict[str, Any]) -> tuple[dict[str, Any], str]:
    return read_token_report(report, report.parent / "dvc.lock", PARAMS | changes)


def test_the_report_of_these_parameters_counts(report: Path) -> None:
    assert read(report) == ({"tokens": 1000}, "")


@pytest.mark.parametrize(
    "change",
    [{"train": {"epochs": 9}}, {"evaluate": {"metrics": ["chrf"]}}],
)
def test_parameters_of_later_stages_leave_it_valid(
    report: Path, change: dict[str, Any]
) -> None:
    assert read(report, **change)[0]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"data": {"name": "b", "files": {"all": "a.jsonl"}}}, "data.name"),
        ({"tokenize": {"max_seq_len": 2048}}, "tokenize.max_seq_len"),
        ({"model": {"path": "m", "revision": "2"}}, "model.revision"),
        ({"prompt": {"pattern": "{source} ="}}, "prompt.pattern"),
        ({"preprocess": {"min_chars": 2}}, "preprocess.min_chars"),
        ({"preprocess": {}}, "preprocess.min_chars"),
    ],
)
def test_a_report_of_other_parameters_does_not_count(
    report: Path, change: dict[str, Any], key: str
) -> None:
    known, why = read(report, **change)
    assert not known and why.endswith(f"was made with other {key}")


def test_a_report_that_the_lock_does_not_record_does_not_count(report: Path) -> None:
    io.write_json(report, {"tokens": 5})
    assert read(report) == (
        {},
        f"{report} differs from the one recorded in {report.parent / 'dvc.lock'}",
    )
    (report.parent / "dvc.lock").unlink()
    assert "there is no" in read(report)[1]
    report.unlink()
    assert read(report) == ({}, f"there is no {report}")
