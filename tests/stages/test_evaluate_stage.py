"""The complete stage evaluate: outputs of an adapter that misses requirements."""

from pathlib import Path

import mlflow
import pytest
import yaml
from tiny_pipeline import make_adapter, make_base, make_params, make_splits

from graft import io
from graft.config.params import Params
from graft.errors import ModelError
from graft.stages import evaluate

ROOT = Path(__file__).parents[2]
# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`"),
]


def run(params: Params, root: Path) -> None:
    evaluate.run(
        params.evaluate,
        params.model,
        params.quantization,
        params.registry,
        params.task,
        splits=root / "splits",
        adapter=root / "adapter",
        reports=[],
        curves=root / "curves",
        out=root / "predictions",
        report=root / "evaluate.json",
        metrics=root / "metrics.json",
        journals=root / "journals",
    )


def test_a_failing_adapter_is_written_registered_once_and_has_no_alias(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["evaluate"]["latency_runs"] = 0
    make_base(tmp_path / "base")
    params = make_params(values, tmp_path / "base")
    make_adapter(params, tmp_path / "adapter")
    make_splits(tmp_path / "splits")
    for _ in range(2):  # a user corrects what is not the reason, and runs it again
        with pytest.raises(ModelError, match="2 test examples scored; at least 10"):
            run(params, tmp_path)
        assert "version 1, requirements: failed" in capsys.readouterr().out
    client = mlflow.MlflowClient(params.registry.tracking_uri)
    (version,) = client.search_model_versions(f"name = '{params.registry.name}'")
    assert version.tags["requirements"] == "failed"
    assert client.get_registered_model(params.registry.name).aliases == {}
    assert client.get_run(version.run_id).info.status == "FINISHED"
    report = io.read_json(tmp_path / "evaluate.json")
    assert report["requirements"] == "failed" and report["requirements_failed"]
    for name in ("report.html", "README.md"):
        text = (tmp_path / "predictions" / name).read_text(encoding="utf-8")
        assert "Requirements failed." in text
    section = params.evaluate.model_copy(update={"requirements": None})
    run(params.model_copy(update={"evaluate": section}), tmp_path)
    assert "version 1, requirements: none" in capsys.readouterr().out
    aliases = client.get_registered_model(params.registry.name).aliases
    assert list(aliases) == ["challenger"]
