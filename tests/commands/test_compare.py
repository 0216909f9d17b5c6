"""`graft compare` on runs in a real MLflow store, and on folders."""

from pathlib import Path
from typing import Any

import pytest
from compared_runs import METRICS, Runs, write_predictions
from tracking_stores import make_store

from graft import io
from graft.commands import compare
from graft.config import RegistryConfig
from graft.config.params import Params, load_params
from graft.errors import ConfigError, TrackingError
from graft.tracking.history import History

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)


@pytest.fixture(scope="module")
def params() -> Params:
    params = load_params(Path(__file__).parents[2] / "params.yaml")
    changes = {"metrics": METRICS, "num_resamples": 200}
    evaluate = params.evaluate.model_copy(update=changes)
    return params.model_copy(update={"evaluate": evaluate})


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RegistryConfig:
    """The section registry of an empty store."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    uri = make_store(tmp_path)
    return RegistryConfig(name="model", experiment="graft", tracking_uri=uri)


@pytest.fixture
def runs(
    registry: RegistryConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Runs:
    return Runs(registry, tmp_path, monkeypatch)


def show(
    params: Params, registry: RegistryConfig, *folders: Path, **flags: Any
) -> dict[str, Any] | None:
    return compare.run(params.evaluate, registry, list(folders), **flags)


def test_a_sweep_is_one_table_and_the_best_is_marked_only_when_asked(
    params: Params,
    registry: RegistryConfig,
    runs: Runs,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import mlflow

    runs.log("old-r8", 8, 1)
    best = runs.log("r16", 16, 50)
    runs.log("r8", 8, 30)
    runs.log("r32", 32, 49, registered=False)
    runs.log("unmeasured", 64, None)
    runs.log("few", 128, 5, number=20)
    runs.log("r32-again", 32, None)  # begun anew, and not measured yet
    runs.log("last", 4, 49)
    show(params, registry, out=tmp_path / "out")
    said = capsys.readouterr().out
    plain = io.read_json(tmp_path / "out" / "compare.json")
    assert [row["name"] for row in plain["rows"]] == [
        "base",
        "r16",
        "last",
        "r32",
        "r8",
    ]
    assert plain["best"] == "r16" and plain["best_is_significant"] is False
    assert plain["rows"][4]["to_best"]["answer_f1"]["is_significant"] is True
    assert plain["rows"][1]["version"] == best and plain["rows"][3]["version"] is None
    assert plain["rows"][1]["params"] == {"adapter.rank": "16"}
    assert plain["rows"][1]["costs"] == {"tokens_per_s": 321.0}
    assert "not comparable: 20 of its 20" in plain["left_out"]["few"]
    (unmeasured,) = [key for key in plain["left_out"] if key.startswith("unmeasured")]
    assert "no predictions" in plain["left_out"][unmeasured]
    assert "left out: few" in said and "left out: unmeasured" in said
    assert "not shown: 2 of 8 runs" in said and "old-r8" not in said
    assert "not registered" in said and "challenger" in said
    assert "left out: few" in (tmp_path / "out" / "compare.md").read_text("utf-8")

    client = mlflow.MlflowClient(registry.tracking_uri, registry.tracking_uri)
    before = client.get_registered_model(registry.name).aliases
    assert not any("best" in v.tags for v in client.search_model_versions())
    history = History(registry)
    history.mark("1", "best")
    show(params, registry, mark=True)
    tags = {
        v.version: v.tags.get("best")
        for v in client.search_model_versions(f"name = '{registry.name}'")
    }
    assert {v for v, tag in tags.items() if tag} == {int(best or 0)}
    assert client.get_registered_model(registry.name).aliases == before


def test_a_best_that_is_not_registered_cannot_be_marked(
    params: Params, registry: RegistryConfig, runs: Runs
) -> None:
    runs.log("one", 8, 30, registered=False)
    with pytest.raises(TrackingError, match="one is not registered"):
        show(params, registry, mark=True)


def test_a_best_that_failed_its_requirements_cannot_be_marked(
    params: Params, registry: RegistryConfig, runs: Runs
) -> None:
    version = runs.log("one", 8, 30, requirements="failed")
    with pytest.raises(TrackingError, match="one is the best, .* failed") as refused:
        show(params, registry, mark=True)
    assert f"{registry.name} version {version}" in str(refused.value)
    assert version is not None and "best" not in History(registry).tags(version)


def test_runs_of_another_model_are_found_by_its_name_with_their_metrics(
    params: Params,
    registry: RegistryConfig,
    runs: Runs,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runs.log("one", 8, 30)
    other = registry.model_copy(update={"name": "graft-translation"})
    evaluate = params.evaluate.model_copy(update={"metrics": ["bleu"]})
    with pytest.raises(TrackingError, match=f"a model that has runs: {registry.name}"):
        compare.run(evaluate, other)
    compare.run(evaluate, other, name=registry.name)
    said = capsys.readouterr().out
    assert "token F1" in said and "BLEU" not in said


def test_folders_need_no_store(
    params: Params,
    registry: RegistryConfig,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    unreachable = registry.model_copy(update={"tracking_uri": "http://127.0.0.1:9"})
    for name, num_right in (("a", 20), ("b", 50)):
        write_predictions(tmp_path / name, num_right)
    show(
        params,
        unreachable,
        tmp_path / "a",
        tmp_path / "b" / "table",
        out=tmp_path / "out",
    )
    plain = io.read_json(tmp_path / "out" / "compare.json")
    assert (
        plain["best"] == str(tmp_path / "b" / "table") and plain["best_is_significant"]
    )
    capsys.readouterr()
    both = tmp_path / "a", tmp_path / "b" / "table"
    assert show(params, unreachable, *both, json=True) == plain
    assert capsys.readouterr().out == ""
    show(params, unreachable, tmp_path / "a", tmp_path / "a")
    assert f"{tmp_path / 'a'} (2)" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="cannot be combined"):
        show(params, unreachable, tmp_path / "a", mark=True)


def test_a_missing_store_is_an_error_and_is_not_created(
    params: Params, registry: RegistryConfig, tmp_path: Path
) -> None:
    uri = f"sqlite:///{tmp_path}/none.db"
    with pytest.raises(TrackingError, match="no such file"):
        show(params, registry.model_copy(update={"tracking_uri": uri}))
    assert not (tmp_path / "none.db").exists()


@pytest.mark.slow  # MLflow tries three times
def test_an_unreachable_store_is_an_error_that_hides_the_password(
    params: Params, registry: RegistryConfig
) -> None:
    unreachable = registry.model_copy(
        update={"tracking_uri": "http://ann:pa55@127.0.0.1:9"}
    )
    with pytest.raises(TrackingError, match="the query failed") as caught:
        show(params, unreachable)
    assert "pa55" not in str(caught.value)


def test_an_experiment_without_runs_is_an_error(
    params: Params, registry: RegistryConfig, runs: Runs
) -> None:
    runs.log("one", 8, 30)
    with pytest.raises(TrackingError, match="no experiment nothing"):
        show(params, registry.model_copy(update={"experiment": "nothing"}))
