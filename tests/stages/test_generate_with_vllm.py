"""Stage generate with answers of another process: files, checks, and faults."""

import os
from pathlib import Path
from typing import Any

import pytest
from evaluated_pipeline import make_project, run_generate
from stand_in_vllm import make_interpreter

from graft import io
from graft.config.params import Params
from graft.errors import ConfigError, ModelError
from graft.inference import vllm_backend
from graft.inference.generated import read_generated

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`"),
]


@pytest.fixture(name="params", scope="module")
def _params(tmp_path_factory: pytest.TempPathFactory) -> Params:
    return make_project(tmp_path_factory.mktemp("project"))


def root_of(params: Params) -> Path:
    return Path(params.model.path).parent


def with_vllm(params: Params, python: str, **changes: Any) -> Params:
    values = {"backend": "vllm", "vllm_python": python, "vllm_min_agreement": 1.0}
    section = params.generation.model_copy(update=values | changes)
    return params.model_copy(update={"generation": section})


def texts(root: Path) -> list[tuple[str, str]]:
    rows = read_generated(root / "predictions").predictions
    return [(row.base, row.tuned) for row in rows]


def check_equal_to_the_engine(params: Params, python: str, version: str) -> None:
    root = root_of(params)
    run_generate(params, root)
    ours = read_generated(root / "predictions")
    run_generate(with_vllm(params, python), root)
    theirs = read_generated(root / "predictions")
    assert texts(root) == [(row.base, row.tuned) for row in ours.predictions]
    for own, other in zip(ours.predictions, theirs.predictions, strict=True):
        assert own.base_nll == pytest.approx(other.base_nll)
        assert own.tuned_nll == pytest.approx(other.tuned_nll) != own.base_nll
    assert theirs.decoding.backend == "vllm" and not theirs.latency
    assert theirs.versions["vllm"].startswith(version)
    assert theirs.costs["tuned"].seconds > 0 < theirs.costs["tuned"].prompt_ms
    assert not list((root / "journals").iterdir())


def test_answers_of_another_process_are_those_of_the_engine(
    params: Params, tmp_path: Path
) -> None:
    check_equal_to_the_engine(params, make_interpreter(tmp_path), "0.0.1")


@pytest.mark.slow
@pytest.mark.skipif(
    "GRAFT_VLLM_PYTHON" not in os.environ,
    reason="GRAFT_VLLM_PYTHON names no Python with vLLM",
)
def test_answers_of_vllm_are_those_of_the_engine(params: Params) -> None:
    check_equal_to_the_engine(params, os.environ["GRAFT_VLLM_PYTHON"], "")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("crash", "(?s)exit status 1, .*RuntimeError: no memory for the KV cache"),
        ("no adapter", r"answers of the tuned model \(0%\).*graft \[.*vLLM \["),
        ("cut", "ends after 1 tokens"),
    ],
)
def test_a_fault_of_vllm_is_an_error_that_says_what_happened(
    params: Params, tmp_path: Path, fault: str, message: str
) -> None:
    python = make_interpreter(tmp_path, fault)
    (root_of(params) / "journals" / "generate.jsonl").unlink(missing_ok=True)
    with pytest.raises(ModelError, match=message):
        run_generate(with_vllm(params, python), root_of(params))


def test_a_python_without_vllm_is_refused_before_anything_runs(params: Params) -> None:
    changed = with_vllm(params, str(root_of(params) / "no-python"))
    with pytest.raises(ConfigError, match="no Python with vLLM.*No such file"):
        run_generate(changed, root_of(params))


def test_finished_chunks_of_vllm_are_not_answered_again(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, changed = root_of(params), with_vllm(params, make_interpreter(tmp_path))

    def fail(*_: Any) -> None:
        raise ModelError("here", "ended after vLLM")

    monkeypatch.setattr(vllm_backend.VllmBackend, "check", fail)
    with pytest.raises(ModelError, match="ended after vLLM"):
        run_generate(changed, root)
    monkeypatch.undo()
    monkeypatch.setattr(vllm_backend, "run_vllm", fail)
    run_generate(changed, root)
    assert len(texts(root)) == 2
    assert io.read_json(root / "predictions/generation.json")["versions"]["vllm"]
