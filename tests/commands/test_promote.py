"""`graft promote` and `graft rollback` print and return their decision."""

from pathlib import Path

import pytest
from registered_versions import EVALUATE, Registered, predict, registry_at
from tracking_stores import make_store

from graft.commands import promote, rollback
from graft.config.params import load_params
from graft.errors import ConfigError

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_promotions_and_rollbacks_are_printed_and_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = make_store(tmp_path)
    registry, registered = registry_at(uri), Registered(uri, tmp_path)
    plain = load_params(Path(__file__).parents[2] / "params.yaml")
    params = plain.model_copy(update={"registry": registry, "evaluate": EVALUATE})
    for share in (0.6, 0.05):
        registered.add(predict(share))
        promote.run(params)
    assert "model version 2 is champion (before: 1)" in capsys.readouterr().out
    assert promote.run(params, "2", json=True) == {
        "action": "none",
        "version": "2",
    }
    found = rollback.run(registry, reason="slow", json=True)
    assert found is not None and found["to_version"] == "1"
    assert "version 1 is champion again (before: 2): slow" in capsys.readouterr().out
    listed = promote.run(params, history=True, json=True)
    assert [one["action"] for one in listed] == ["promote", "promote", "rollback"]
    assert rollback.run(registry, reason="slow", to="1", json=True) == {
        "action": "none"
    }


def test_a_rollback_needs_a_reason() -> None:
    with pytest.raises(ConfigError, match="--reason: is empty"):
        rollback.run(registry_at("sqlite:///none.db"), reason=" ")
