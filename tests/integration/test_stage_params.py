"""The keys that a stage reads are the `params` that dvc.yaml declares for it.

All stages run on a few rows, and every access to a key of a section is recorded.
"""

import functools
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from graft import cli
from graft.config import Section
from graft.config.params import Params, load_params

ROOT = Path(__file__).parents[2]
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
ENGINE = ["engine"]  # every engine writes the same bytes
DEVICE = ["model.num_parameters"]  # for a warning about a slow device
WITHOUT_EFFECT = {
    "convert": ENGINE,
    "preprocess": ENGINE,
    "tokenize": ENGINE,
    # Before training, `generation` and the names of the metrics are read only to fail
    # early; where a training is logged, and the name of its data in the log, do not
    # change the adapter.
    "train": [*DEVICE, "generation", "evaluate.metrics", "registry", "data.name"],
    "generate": DEVICE,
    # Intervals and negligible differences do not change what is compared. Model, prompt
    # and quantization are those of the adapter's record, not of params.yaml.
    "certify": [
        *("evaluate.num_resamples", "evaluate.requirements"),
        *("model", "prompt", "quantization"),
    ],
}
"""Stage → keys that it reads without an effect on its outputs."""
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`"),
]


@pytest.fixture(name="project", scope="module")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default pipeline with a few rows and two steps."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("data/sample", "decisions", "models/tiny"):
        shutil.copytree(ROOT / name, folder / name)
    pairs = folder / "data/sample/pairs.jsonl"
    lines = pairs.read_text("utf-8").splitlines(keepends=True)
    pairs.write_text("".join([*lines[:600], *lines[-300:]]), encoding="utf-8")
    values = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    values["train"] |= {"max_steps": 2, "must_learn": False, "device": "cpu"}
    values["generation"] |= {"max_examples": 4, "latency_runs": 1, "device": "cpu"}
    values["evaluate"] |= {"num_resamples": 100, "requirements": None}
    values["certificate"] |= {"ways": ["evaluation", "api"]}
    text = yaml.safe_dump(values, sort_keys=False)
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "dvc.yaml", folder)
    return folder


@contextmanager
def recorded(seen: set[str], params: Params) -> Iterator[Callable[..., Any]]:
    """A decorator of `run`, whose accesses to keys are added to `seen`."""
    sections = {type(value): name for name, value in vars(params).items()}
    original = Section.__getattribute__
    running = False

    def spy(self: Section, key: str) -> Any:
        section = sections.get(type(self), "").rstrip("_")
        if running and section and key in type(self).model_fields:
            seen.add(f"{section}.{key}")
        return original(self, key)

    def record(run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(run)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal running
            running = True  # not before: the checks of params.yaml read every key
            try:
                return run(*args, **kwargs)
            finally:
                running = False

        return wrapped

    Section.__getattribute__ = spy  # type: ignore[assignment]
    try:
        yield record
    finally:
        del Section.__getattribute__


def is_in(key: str, keys: list[str]) -> bool:
    return any(key == one or key.startswith(f"{one}.") for one in keys)


@pytest.fixture(name="seen", scope="module")
def _seen(project: Path) -> dict[str, set[str]]:
    """Stage → keys that it reads, of a run of all stages."""
    found: dict[str, set[str]] = {}
    params = load_params(project / "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for name, stage in STAGES.items():
            if name == "code":
                continue
            found[name] = set()
            words = shlex.split(stage["cmd"])[3:]
            with recorded(found[name], params) as record:
                cli.call(record(import_module(f"graft.stages.{name}").run), words)
    return found


@pytest.mark.parametrize("name", sorted(set(STAGES) - {"code"}))
def test_every_key_that_a_stage_reads_is_declared_or_has_no_effect(
    seen: dict[str, set[str]], name: str
) -> None:
    declared = [*STAGES[name].get("params", []), *WITHOUT_EFFECT.get(name, [])]
    assert {key for key in seen[name] if not is_in(key, declared)} == set()


def test_the_recording_sees_keys_of_every_stage(seen: dict[str, set[str]]) -> None:
    for name, key in (
        ("convert", "data.files"),
        ("preprocess", "preprocess.min_chars"),
        ("validate", "validate.min_examples"),
        ("tokenize", "tokenize.max_seq_len"),
        ("split", "split.seed"),
        ("train", "adapter.rank"),
        ("generate", "generation.stop"),
        ("evaluate", "evaluate.metrics"),
        ("certify", "registry.gate"),
    ):
        assert key in seen[name]
