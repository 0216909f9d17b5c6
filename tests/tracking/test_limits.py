"""Names and values are changed to those that MLflow accepts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking_stores import make_store

from graft import tracking
from graft.config import RegistryConfig
from graft.tracking.limits import MOST_IN_TAG, to_name, to_value

# MLflow 3.17 uses what SQLAlchemy 2.1 deprecates, and warns of its own guesses.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning"
)
REGISTRY = RegistryConfig(name="m", experiment="e", tracking_uri="sqlite:///mlflow.db")


@given(st.text(max_size=400) | st.text(alphabet="./a é(", max_size=300))
def test_every_name_becomes_one_that_mlflow_accepts(name: str) -> None:
    from mlflow.utils.validation import _validate_param, _validate_tag

    _validate_param(to_name(name), "")
    _validate_tag(to_name(name), "")


def test_valid_names_stay_and_invalid_ones_stay_different() -> None:
    assert to_name("tuned/bleu_1 é: a.b") == "tuned/bleu_1 é: a.b"
    assert len({to_name(name) for name in ("a(b", "a[b", "a_b", "x" * 300)}) == 4
    assert to_name("a(b").startswith("a_b-")


def test_a_long_value_is_visibly_truncated() -> None:
    assert to_value("x" * 9000, MOST_IN_TAG) == "x" * (MOST_IN_TAG - 1) + "…"
    assert to_value(8, 1) == "8"


def test_an_invalid_name_or_long_value_does_not_block_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_TRUNCATE_LONG_VALUES", "false")
    monkeypatch.chdir(tmp_path)
    make_store(tmp_path)
    with tracking.start_run(REGISTRY, Path("run.jsonl")) as run:
        run.log_params({"plain": 1, "../odd": 2, "long": "x" * 7000})
        run.log_metrics({"tuned/bleu": 1.0, "tuned/bleu/déjà (vu)?": 2.0})
        run.set_tags({f"tag{number}": "x" * 9000 for number in range(150)})
    assert capsys.readouterr().err == ""
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    (found,) = mlflow.search_runs(experiment_names=["e"], output_format="list")
    assert len(found.data.params) == 3 and found.data.params["plain"] == "1"
    assert found.data.params["long"].endswith("…")
    assert sorted(found.data.metrics.values()) == [1.0, 2.0]
    assert len([name for name in found.data.tags if name.startswith("tag")]) == 150
