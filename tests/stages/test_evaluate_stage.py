"""The stages generate and evaluate: outputs of an adapter that misses requirements."""

from pathlib import Path
from typing import Any

import mlflow
import pytest
import yaml
from tiny_pipeline import (
    make_adapter,
    make_base,
    make_params,
    make_splits,
    make_train_report,
)

from graft import io
from graft.config.params import Params
from graft.errors import DataError, ModelError
from graft.models.adapter_record import weights_digest
from graft.models.files import tokenizer_digests
from graft.registry.lineage import Lineage, read_lineage
from graft.stages import evaluate, generate

ROOT = Path(__file__).parents[2]
# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`"),
]


def make_predictions(params: Params, root: Path) -> None:
    generate.run(
        params.generation,
        params.model,
        params.prompt,
        params.quantization,
        splits=root / "splits",
        tokens=root / "tokenize.json",
        adapter=root / "adapter",
        training=root / "train.json",
        out=root / "predictions",
        journals=root / "journals",
    )


def run(params: Params, root: Path) -> None:
    evaluate.run(
        params.data,
        params.evaluate,
        params.model,
        params.registry,
        params.task,
        predictions=root / "predictions",
        splits=root / "splits",
        adapter=root / "adapter",
        reports=[],
        curves=root / "curves",
        out=root / "evaluation",
        report=root / "evaluate.json",
        metrics=root / "metrics.json",
        journals=root / "journals",
    )


def make_project(root: Path) -> Params:
    """All inputs of both stages."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["generation"]["latency_runs"] = 0
    make_base(root / "base")
    params = make_params(values, root / "base")
    make_adapter(params, root / "adapter")
    make_splits(root / "splits")
    make_train_report(params, root / "adapter", root / "train.json")
    files = {"tokenizer_files": tokenizer_digests(params.model)}
    io.write_json(root / "tokenize.json", files)
    return params


def fetch_lineage(client: Any, run_id: str, out: Path) -> Lineage:
    """The lineage among the artifacts of a run."""
    names = {found.path for found in client.list_artifacts(run_id, "lineage")}
    files = (
        "dvc.lock",
        "evaluations",
        "lineage.json",
        "outputs",
        "params.yaml",
        "sbom.cdx.json",
    )
    assert names == {f"lineage/{name}" for name in files}
    folder = Path(client.download_artifacts(run_id, "lineage", str(out)))
    lineage = read_lineage(folder / "lineage.json")
    (mine,) = (folder / "evaluations").iterdir()
    assert read_lineage(mine) == lineage and mine.stem == lineage.evaluation
    return lineage


def test_completions_of_another_adapter_are_refused(tmp_path: Path) -> None:
    params = make_project(tmp_path)
    make_predictions(params, tmp_path)
    make_adapter(params, tmp_path / "adapter")  # its weights are random
    with pytest.raises(DataError, match="has completions of adapter"):
        run(params, tmp_path)


def test_a_failing_adapter_is_written_registered_once_and_has_no_alias(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    params = make_project(tmp_path)
    make_predictions(params, tmp_path)
    for _ in range(2):  # a user corrects what is not the reason, and runs it again
        with pytest.raises(ModelError, match="2 test examples scored; at least 10"):
            run(params, tmp_path)
        out = capsys.readouterr().out
        assert "version 1, requirements: failed" in out
        assert "version 1 is not promoted: requirements" in out
    client = mlflow.MlflowClient(params.registry.tracking_uri)
    (version,) = client.search_model_versions(f"name = '{params.registry.name}'")
    assert version.tags["requirements"] == "failed"
    assert client.get_registered_model(params.registry.name).aliases == {}
    assert client.get_run(version.run_id).info.status == "FINISHED"
    report = io.read_json(tmp_path / "evaluate.json")
    assert report["requirements"] == "failed" and report["requirements_failed"]
    for name in ("report.html", "README.md"):
        text = (tmp_path / "evaluation" / name).read_text(encoding="utf-8")
        assert "Requirements failed." in text
    lineage = fetch_lineage(client, version.run_id, tmp_path)
    assert lineage.adapter == weights_digest(tmp_path / "adapter")
    assert version.tags["graft.evaluation"].endswith(f"-{lineage.evaluation}")
    section = params.evaluate.model_copy(update={"requirements": None})
    run(params.model_copy(update={"evaluate": section}), tmp_path)
    assert "version 1, requirements: none" in capsys.readouterr().out
    aliases = client.get_registered_model(params.registry.name).aliases
    assert list(aliases) == ["challenger"]


def test_the_first_version_that_passes_is_champion_and_its_repetition_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    params = make_project(tmp_path)
    make_predictions(params, tmp_path)
    bounds = {"min_examples": 1, "metrics": {"bleu": {"min": 0.0}}}
    section = params.evaluate.model_dump() | {"requirements": bounds}
    params = Params.model_validate(params.to_plain() | {"evaluate": section})
    registry = params.registry.model_copy(update={"promote": "manual"})
    run(params.model_copy(update={"registry": registry}), tmp_path)
    assert "to decide: graft promote 1" in capsys.readouterr().out
    run(params, tmp_path)
    assert "version 1 is champion (before: none)" in capsys.readouterr().out
    run(params, tmp_path)
    assert "version 1 is champion already" in capsys.readouterr().out
    client = mlflow.MlflowClient(params.registry.tracking_uri)
    aliases = client.get_registered_model(params.registry.name).aliases
    assert aliases == {"challenger": 1, "champion": 1}
