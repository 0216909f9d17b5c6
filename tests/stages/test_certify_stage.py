"""The stage certify: the certificate of what evaluate registered, then the decision."""

from pathlib import Path
from typing import Any

import mlflow
import pytest
from evaluated_pipeline import (
    make_project,
    register,
    run_certify,
    with_values,
)

from graft import io
from graft.errors import DataError, ModelError

QUICK = ["evaluation", "api"]
# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`"),
]


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def client_of(params: Any) -> Any:
    uri = params.registry.tracking_uri
    return mlflow.MlflowClient(uri, registry_uri=uri)


def aliases(params: Any) -> dict[str, str]:
    client = client_of(params)
    found = client.get_registered_model(params.registry.name).aliases
    return {alias: str(version) for alias, version in found.items()}


def tags(params: Any, version: str) -> dict[str, str]:
    client = client_of(params)
    return dict(client.get_model_version(params.registry.name, version).tags)


def test_the_first_version_that_passes_is_certified_and_champion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = with_values(register(tmp_path), "certificate", ways=QUICK)
    assert aliases(params) == {"challenger": "1"}, "evaluate decides nothing"
    manual = with_values(params, "registry", promote="manual")
    run_certify(manual, tmp_path)
    assert "to decide: graft promote 1" in capsys.readouterr().out
    report = (tmp_path / "certificate.json").read_bytes()
    run_certify(params, tmp_path)
    assert "version 1 is champion (before: none)" in capsys.readouterr().out
    assert aliases(params) == {"challenger": "1", "champion": "1"}
    assert tags(params, "1")["certificate"] == "passed"
    decision = io.read_json(tmp_path / "journals/decision.json")
    assert decision["version"] == "1" and "is champion" in decision["decision"]
    run_certify(params, tmp_path)
    assert "version 1 is champion already" in capsys.readouterr().out
    assert (tmp_path / "certificate.json").read_bytes() == report


def test_a_version_that_fails_its_certificate_fails_the_stage_and_is_not_promoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = with_values(register(tmp_path), "certificate", ways=QUICK)
    table = tmp_path / "journals/unused"
    budget = {"min_agreement": 1.0, "max_kl": 0.0, "max_metric_difference": 0.0}
    strict = with_values(params, "certificate", same=budget)
    with pytest.raises(ModelError, match="not certified: api: mean KL"):
        run_certify(strict, tmp_path)
    assert "failed, on 2 held-out prompts" in capsys.readouterr().out
    assert not table.exists() and aliases(params) == {"challenger": "1"}
    assert tags(params, "1")["certificate/reason"].startswith("api: mean KL")
    report = io.read_json(tmp_path / "certificate.json")
    assert (report["status"], report["version"]) == ("failed", "1")
    assert not (tmp_path / "journals/decision.json").exists()
    run_certify(params, tmp_path)  # another budget needs no other version
    assert tags(params, "1")["certificate"] == "passed"
    assert aliases(params)["champion"] == "1"


def test_without_a_registered_version_nothing_is_certified_and_the_stage_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = make_project(tmp_path)
    file = tmp_path / "registered.json"
    for version, requirements, reason in (
        (None, "passed", "it is not registered yet"),
        ("1", "failed", "it falls short of evaluate.requirements"),
        ("1", "passed", "mlflow.db"),  # the store is gone
    ):
        values = {"model": "m", "version": version, "requirements": requirements}
        io.write_json(file, values)
        if reason == "mlflow.db":
            Path(params.registry.tracking_uri.removeprefix("sqlite:///")).unlink()
        run_certify(params, tmp_path)
        assert f"not certified: {reason}" in capsys.readouterr().out.replace(
            f"{params.registry.tracking_uri.removesuffix('mlflow.db')}", ""
        )
        report = io.read_json(tmp_path / "certificate.json")
        assert (report["status"], report["version"]) == ("none", version)
    io.write_json(file, {"version": 1})
    with pytest.raises(DataError, match="is not a report of a registered version"):
        run_certify(params, tmp_path)


def test_a_version_without_a_certificate_is_refused_with_the_command_that_makes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from graft.commands import promote

    params = register(tmp_path)
    promote.run(params)
    out = capsys.readouterr().out
    assert "FAIL  certificate: certificate: none" in out
    assert "graft verify VERSION" in out
    assert aliases(params) == {"challenger": "1"}
