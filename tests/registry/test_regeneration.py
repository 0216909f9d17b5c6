"""`graft promote --regenerate`: the champion answers the questions of another test
set."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from evaluated_pipeline import register, run_evaluate, run_generate, with_values
from tiny_pipeline import PAIRS, make_adapter, make_splits, make_train_report

from graft import io
from graft.commands import promote
from graft.inference.generated import read_generated
from graft.registry.log import DecisionLog
from graft.registry.regeneration import Regeneration

MORE = [*PAIRS, ("The dog barks.", "Le chien aboie."), ("Come in.", "Entrez.")]
# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`"),
]


def rules(decision: Any) -> dict[str, Any]:
    return {check["rule"]: check for check in decision["checks"]}


def test_the_champion_is_compared_on_the_challengers_test_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    params = register(tmp_path)
    gate = params.registry.gate.model_dump() | {"require_certificate": False}
    params = with_values(params, "registry", gate=gate)
    assert promote.run(params, "1", json=True)["action"] == "promote"
    first = shutil.copytree(tmp_path / "adapter", tmp_path / "first")

    io.remove(tmp_path / "journals")  # another training is another run
    make_adapter(params, tmp_path / "adapter")
    make_splits(tmp_path / "splits", MORE)
    make_train_report(params, tmp_path / "adapter", tmp_path / "train.json")
    run_generate(params, tmp_path)
    run_evaluate(params, tmp_path)
    refused = rules(promote.run(params, "2", json=True))
    assert "graft promote --regenerate" in refused["test set"]["sufficient"]
    assert "gain" not in refused
    decision = promote.run(
        params, "2", regenerate=True, splits=tmp_path / "splits", json=True
    )
    found = rules(decision)
    assert "test set" not in found and found["gain"]["champion"] >= 0
    assert found["memory"]["champion"] > 0

    log = DecisionLog.open(params.registry)
    regenerate = Regeneration(params, tmp_path / "splits")
    again = regenerate(log, log.versions.find("1")).predictions
    io.remove(tmp_path / "adapter")
    shutil.copytree(first, tmp_path / "adapter")
    make_train_report(params, tmp_path / "adapter", tmp_path / "train.json")
    run_generate(params, tmp_path)
    expected = read_generated(tmp_path / "predictions").predictions
    assert [one.tuned for one in again] == [one.tuned for one in expected]
    assert len({one.tuned for one in again}) == len(MORE)
