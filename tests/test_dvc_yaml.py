import ast
import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from graft.config import params

ROOT = Path(__file__).parents[1]
STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
NAMES = sorted(STAGES)
KINDS = {
    kind.__name__: field.alias or name
    for name, field in params.Params.model_fields.items()
    # Of a section with several variants, stages take the keys that all have in common;
    # of one that extends another, those that they need.
    for kind in (
        field.annotation,
        *(
            getattr(kind, "__base__", None)
            for kind in (field.annotation, *get_args(field.annotation))
        ),
    )
    if isinstance(kind, type)
}
KEPT_BY_THE_STAGE = {"--checkpoints"}
"""Paths that no other stage reads, and that must survive DVC's removal of outs."""


def paths_of(stage: dict[str, Any]) -> set[str]:
    """Every path that a stage declares, as dependency or output of any kind."""
    paths = set(stage["deps"])
    for kind in ("outs", "metrics", "plots"):
        for item in stage.get(kind, []):
            paths |= {item} if isinstance(item, str) else set(item)
    return paths


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"code"}))
def test_a_stage_depends_on_the_digest_of_its_own_code(name: str) -> None:
    code = [dep for dep in STAGES[name]["deps"] if "code" in Path(dep).parts]
    assert code == [f"data/code/{name}"]


@pytest.mark.parametrize("name", NAMES)
def test_the_params_of_a_stage_are_the_sections_that_it_takes(name: str) -> None:
    tree = ast.parse((ROOT / f"src/graft/stages/{name}.py").read_text())
    run = next(
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == "run"
    )
    notes = [ast.unparse(arg.annotation or arg) for arg in run.args.args]
    kinds = [note.rpartition(".")[2] for note in notes]
    declared = {key.split(".")[0] for key in STAGES[name].get("params", [])}
    taken = {KINDS[kind] for kind in kinds if kind in KINDS} - {"engine"}
    # tests/integration/test_stage_params.py says why these have no effect.
    assert declared == taken - (
        {"generation", "evaluate", "registry"} if name == "train" else set()
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_params_of_a_stage_are_keys_of_params_yaml(name: str) -> None:
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for key in STAGES[name].get("params", []):
        section, *inner = key.split(".")
        assert not inner or inner[0] in values[section]


@pytest.mark.parametrize("name", NAMES)
def test_every_path_in_a_command_is_declared(name: str) -> None:
    flags = re.findall(r"(--[a-z-]+) (\S+)", STAGES[name]["cmd"])
    paths = {path for flag, path in flags if flag not in KEPT_BY_THE_STAGE}
    assert paths and paths <= paths_of(STAGES[name])


def test_only_the_few_numbers_that_distinguish_experiments_are_metrics() -> None:
    found = [item for stage in STAGES.values() for item in stage.get("metrics", [])]
    assert [path for item in found for path in item] == [
        "reports/train.json",
        "reports/metrics.json",
    ]
