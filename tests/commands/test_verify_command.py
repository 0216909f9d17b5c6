"""`graft verify` of a registered version, in all five ways."""

import json
from pathlib import Path
from typing import Any

import mlflow
import pytest
from evaluated_pipeline import register, with_values

from graft.commands import verify
from graft.errors import ModelError, TrackingError

WAYS = ["evaluation", "api", "adapter", "merged", "pyfunc"]
# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`"),
]


def run(params: Any, version: str, **options: Any) -> Any:
    return verify.run(
        params.registry,
        params.evaluate,
        params.generation,
        params.serving,
        params.certificate,
        version,
        **options,
    )


def test_a_version_is_certified_in_every_way_and_a_changed_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    params = register(tmp_path)
    uri, name = params.registry.tracking_uri, params.registry.name
    client: Any = mlflow.MlflowClient(uri, registry_uri=uri)
    capsys.readouterr()
    found = run(params, "challenger", json=True)
    assert capsys.readouterr().out == ""
    assert found["status"] == "passed" and list(found["ways"]) == WAYS
    for way, one in found["ways"].items():
        assert one["agreement"] == 1 and one["kl"] < 1e-4 and one["num_places"], way
    version = client.get_model_version(name, "1")
    assert version.tags["certificate"] == "passed"
    file = client.download_artifacts(version.run_id, "certificates/1.json")
    assert json.loads(Path(file).read_text("utf-8")) == found

    strict = with_values(
        params,
        "certificate",
        ways=["evaluation", "api"],
        same={"min_agreement": 1.0, "max_kl": 0.0, "max_metric_difference": 0.0},
    )
    with pytest.raises(ModelError, match="not certified: api: mean KL"):
        run(strict, f"models:/{name}/1")
    out = capsys.readouterr().out
    assert "models:/graft-translation/1: failed, on 2 held-out prompts" in out
    assert "evaluation  " in out and "mean KL" in out
    assert run(strict, "1", json=True)["exit_status"] == 1
    assert client.get_model_version(name, "1").tags["certificate"] == "failed"

    (record,) = (tmp_path / "mlartifacts").rglob("adapter/graft.json")
    record.write_text(record.read_text("utf-8") + " ", "utf-8")
    with pytest.raises(ModelError, match="graft.json"):
        run(params, "1")
    reason = client.get_model_version(name, "1").tags["certificate/reason"]
    assert "graft.json" in reason
    with pytest.raises(TrackingError, match="no such version"):
        run(params, "7")
