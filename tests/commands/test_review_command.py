"""`graft review` whole: predictions → sheets → filled files → report → MLflow."""

import json
import socket
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from graft import cli, io, tracking
from graft.commands import review
from graft.config import RegistryConfig
from graft.errors import ConfigError, DataError
from graft.evaluation.review.key import Key, read_key
from graft.models.adapter_record import AdapterRecord
from graft.records import PREDICTION_SCHEMA, Prediction
from graft.tracking.journal import Journal

REGISTRY = RegistryConfig(name="m", experiment="e", tracking_uri="sqlite:///a.db")


def make(folder: Path, *, same: bool = False) -> dict[str, Path]:
    """What evaluate leaves, as far as a review reads it."""
    rows = [
        asdict(Prediction(f"id-{i}", "s", f"ask {i}", ["gold"], "x", f"y{i}"))
        | ({"tuned": "x"} if same else {})
        for i in range(20)
    ]
    table = pa.Table.from_pylist(rows, schema=PREDICTION_SCHEMA)
    io.write_batches(folder / "table", [table], PREDICTION_SCHEMA)
    record = {field.name: "" for field in fields(AdapterRecord)} | {"run_id": "run-1"}
    io.write_json(folder / "adapter" / "graft.json", record)
    return {
        "predictions": folder / "table",
        "adapter": folder / "adapter",
        "out": folder / "review",
        "journals": folder / "journals",
    }


def fill(path: Path, key: Key) -> Path:
    """A rater who always prefers the tuned model."""
    answers = {
        item: {"choice": "AB"[row.systems.index("tuned")]}
        for item, row in key.ab.items()
    }
    form = {"sheet": key.sheet, "rater": "Ann", "answers": answers}
    path.write_text(json.dumps(form), "utf-8")
    return path


def test_sheets_and_key_are_separate_and_equal_for_equal_seeds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = make(tmp_path)
    review.run(REGISTRY, **paths, number=6, seed=1)
    said = capsys.readouterr().out
    files = sorted(paths["out"].rglob("*"))
    assert [str(path.relative_to(paths["out"])) for path in files] == [
        "key.json",
        "sheets",
        "sheets/ab.html",
        "sheets/rating.html",
    ]
    for path in (files[0], *files[2:]):
        assert str(path) in said
    again = paths | {"out": tmp_path / "again"}
    review.run(REGISTRY, **again, number=6, seed=1)
    for path in (files[0], *files[2:]):
        copy = again["out"] / path.relative_to(paths["out"])
        assert copy.read_bytes() == path.read_bytes()
    key = read_key(files[0])
    assert (key.run_id, key.seed, len(key.ab), len(key.rating)) == ("run-1", 1, 6, 12)
    assert review.run(REGISTRY, **paths, number=6, seed=1, json=True) == {
        "sheet": key.sheet,
        "sheets": {"ab": str(files[2]), "rating": str(files[3])},
        "key": str(files[0]),
        "run_id": "run-1",
    }


def test_the_key_of_existing_sheets_is_not_overwritten(tmp_path: Path) -> None:
    paths = make(tmp_path)
    review.run(REGISTRY, **paths, number=6, seed=1)
    before = {path: path.read_bytes() for path in paths["out"].rglob("*.*")}
    with pytest.raises(DataError, match="another review"):
        review.run(REGISTRY, **paths, number=6, seed=2)
    assert {path: path.read_bytes() for path in paths["out"].rglob("*.*")} == before


def test_without_a_different_answer_there_are_no_pairs_to_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = make(tmp_path, same=True)
    review.run(REGISTRY, **paths)
    assert "no pairs" in capsys.readouterr().out
    assert [path.name for path in paths["out"].rglob("*.html")] == ["rating.html"]


@pytest.mark.parametrize("changes", [{"number": 0}, {"seed": -1}])
def test_invalid_numbers_are_configuration_errors(
    tmp_path: Path, changes: dict[str, int]
) -> None:
    paths = make(tmp_path)
    with pytest.raises(ConfigError, match="or more"):
        review.run(REGISTRY, **paths, **changes)  # type: ignore[arg-type]
    assert not paths["out"].exists()


def test_an_adapter_without_a_record_makes_a_review_that_is_not_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = make(tmp_path) | {"adapter": tmp_path / "none"}
    review.run(REGISTRY, **paths)
    assert "scores will not be logged" in capsys.readouterr().out
    key = read_key(paths["out"] / "key.json")
    assert key.run_id is None
    filled = [fill(tmp_path / "a.json", key)]
    document = review.run(REGISTRY, score=filled, **paths, json=True)
    assert "nowhere: the key contains no MLflow run" in capsys.readouterr().out
    report = io.read_json(paths["out"] / "report.json")
    assert report["ab"]["win_rate"]["value"] == 1
    assert document == report
    assert review.run(REGISTRY, score=filled, **paths) is None
    assert not paths["journals"].exists()


def test_a_file_is_read_only_with_its_own_key(tmp_path: Path) -> None:
    paths = make(tmp_path) | {"adapter": tmp_path / "none"}
    other = paths | {"out": tmp_path / "other"}
    review.run(REGISTRY, **paths, seed=1)
    review.run(REGISTRY, **other, seed=2)
    key = paths["out"] / "key.json"
    filled = [fill(tmp_path / "a.json", read_key(key))]
    with pytest.raises(DataError, match="is of review-.*, but the key of review-"):
        review.run(REGISTRY, score=filled, **other)
    assert not (other["out"] / "report.json").exists()
    review.run(REGISTRY, score=filled, key=key, **other)
    assert (other["out"] / "report.json").is_file()


def test_the_command_line_accepts_several_files(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        cli.call(review.run, ["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "--score SCORE [SCORE ...]" in said
    assert "--key KEY" in said


# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
quiet = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@quiet
def test_a_report_is_sent_later_if_the_store_is_down(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    paths = make(tmp_path)
    review.run(REGISTRY, **paths, seed=1)
    filled = fill(tmp_path / "a.json", read_key(paths["out"] / "key.json"))
    capsys.readouterr()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    down = REGISTRY.model_copy(update={"tracking_uri": f"http://127.0.0.1:{port}"})
    review.run(down, score=[filled], **paths)
    said = capsys.readouterr()
    assert "tuned wins     100.0 %" in said.out
    assert "MLflow run run-1" not in said.out
    journal = paths["journals"] / "review-run-1.jsonl"
    assert f"graft log {journal}" in said.err
    assert io.read_json(paths["out"] / "report.json")["ab"]["num_raters"] == 1
    told = Journal(journal)
    (metrics,) = told.of_kind("metrics")
    assert metrics.values["metrics"]["review/win_rate"] == 1
    kept = [journal.parent / event.values["path"] for event in told.of_kind("artifact")]
    assert [path.name for path in kept] == ["report.json", "report.txt"]
    assert all(path.is_file() for path in kept)


@quiet
@pytest.mark.slow
def test_scores_are_logged_to_the_run_of_the_adapter(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    up = REGISTRY.model_copy(update={"tracking_uri": f"sqlite:///{tmp_path}/m.db"})
    with tracking.start_run(up, tmp_path / "train.jsonl", run_id="run-1") as trained:
        trained.log_metrics({"train/loss": 0.5})
    paths = make(tmp_path)
    review.run(up, **paths, seed=1)
    key = read_key(paths["out"] / "key.json")
    filled = fill(tmp_path / "a.json", key)
    for _ in range(2):  # more raters may answer later
        review.run(up, score=[filled], **paths)
    assert "logged  MLflow run run-1" in capsys.readouterr().out
    run = find_run(up)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["train/loss"] == 0.5
    assert run.data.metrics["review/win_rate"] == 1
    names = [file.name for file in tmp_path.rglob("mlartifacts/**/report.*")]
    assert sorted(names) == ["report.json", "report.txt"]


def find_run(registry: RegistryConfig) -> Any:
    """The one run of the experiment."""
    import mlflow

    client = mlflow.MlflowClient(registry.tracking_uri)
    experiment = client.get_experiment_by_name(registry.experiment)
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    return run
