"""The Makefile, and the hooks that `make check` runs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def made_by_stages() -> list[str]:
    """The outputs of stages, without the metrics that git tracks."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
    outs = [out for stage in stages.values() for out in stage["outs"]]
    return [out for out in outs if isinstance(out, str)]


def test_clean_removes_all_that_stages_make_and_nothing_else(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    kept = ["data/mine/a.csv", "reports/train.json", ".venv/bin/python", "configs/c"]
    made = [
        *made_by_stages(),
        "checkpoints/k",
        "mlflow.db",
        "mlartifacts/1",
        ".graft/j",
    ]
    for name in [*kept, *made]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert not [name for name in made if (tmp_path / name).exists()]
    assert all((tmp_path / name).exists() for name in kept)


def test_help_names_every_target() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    done = subprocess.run(
        ["make", "help"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    missing = [name for name in phony.split() if f"make {name} " not in done.stdout]
    assert not missing


HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))


@pytest.mark.parametrize("name", ["isort", "black", "pylint"])
def test_every_python_file_is_linted(name: str) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "*.py"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert tracked
    (hook,) = [hook for hook in HOOKS["repos"][0]["hooks"] if hook["id"] == name]
    assert hook["types"] == ["python"] and "files" not in hook
    assert not [path for path in tracked if re.search(HOOKS["exclude"], path)]


def test_a_change_of_any_code_that_checks_configs_starts_the_check() -> None:
    (hook,) = [
        hook for hook in HOOKS["repos"][0]["hooks"] if hook["id"] == "validate-config"
    ]
    code = ["params.py", "composition.py", "config", "metrics", "tasks"]
    tracked = subprocess.run(
        [
            "git",
            "ls-files",
            "configs",
            "params.yaml",
            *(f"src/graft/{c}" for c in code),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert not [path for path in tracked if not re.search(hook["files"], path)]
