"""The stages generate and evaluate: outputs of an adapter that misses requirements."""

from pathlib import Path
from typing import Any

import mlflow
import pytest
from evaluated_pipeline import make_project, run_evaluate, run_generate, with_values
from tiny_pipeline import make_adapter

from graft import io
from graft.errors import DataError, ModelError
from graft.models.adapter_record import weights_digest
from graft.monitoring.drift.profile import read_profile
from graft.monitoring.drift.registered import fetch_profile
from graft.registry.lineage import Lineage, read_lineage
from graft.tracking.versions import Versions

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`"),
]


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
    run_generate(params, tmp_path)
    make_adapter(params, tmp_path / "adapter")  # its weights are random
    with pytest.raises(DataError, match="has completions of adapter"):
        run_evaluate(params, tmp_path)


def test_a_failing_adapter_is_written_registered_once_and_has_no_alias(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    params = make_project(tmp_path)
    run_generate(params, tmp_path)
    for _ in range(2):  # a user corrects what is not the reason, and runs it again
        with pytest.raises(ModelError, match="2 test examples scored; at least 10"):
            run_evaluate(params, tmp_path)
        out = capsys.readouterr().out
        assert "version 1, requirements: failed" in out
        assert io.read_json(tmp_path / "registered.json") == {
            "model": params.registry.name,
            "requirements": "failed",
            "version": "1",
        }
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
    versions = Versions(params.registry)
    profile = fetch_profile(versions, versions.find("1"))
    assert profile.rows.equals(read_profile(tmp_path / "profile.parquet").rows)
    run_evaluate(with_values(params, "evaluate", requirements=None), tmp_path)
    assert "version 1, requirements: none" in capsys.readouterr().out
    aliases = client.get_registered_model(params.registry.name).aliases
    assert list(aliases) == ["challenger"]


def test_a_version_whose_certificate_failed_is_replaced_by_the_next_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    params = with_values(make_project(tmp_path), "evaluate", requirements=None)
    run_generate(params, tmp_path)
    uri = params.registry.tracking_uri
    client = mlflow.MlflowClient(uri, registry_uri=uri)
    for status, number in (("passed", "1"), ("failed", "1"), ("none", "2")):
        run_evaluate(params, tmp_path)
        assert f"version {number}, requirements: none" in capsys.readouterr().out
        name = params.registry.name
        client.set_model_version_tag(name, number, "certificate", status)
    aliases = client.get_registered_model(name).aliases
    assert {alias: str(held) for alias, held in aliases.items()} == {"challenger": "2"}
