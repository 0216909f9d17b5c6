"""Projects that `graft init` makes."""

import subprocess
from pathlib import Path

import pytest
import yaml

from graft.commands import init, params
from graft.config.compose import compose
from graft.errors import ConfigError

ROOT = Path(__file__).parents[2]


def test_a_project_composes_and_needs_nothing_that_lies_in_the_repository_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    init.run(Path("mine"), model="qwen2.5-7b-instruct")
    assert "next     cd mine" in capsys.readouterr().out
    monkeypatch.chdir("mine")
    params.run(check=True)
    values = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    assert values["model"]["path"] == "Qwen/Qwen2.5-7B-Instruct"
    assert values["train"]["device"] == "cuda"
    for place in ("data/sample", "data/miniatures", "models/tiny", "src/graft"):
        found = [
            path
            for path in Path().rglob("*.yaml")
            if place in path.read_text(encoding="utf-8")
        ]
        assert not found, place
    for experiment in Path("configs/experiment").glob("*.yaml"):
        compose([f"+experiment={experiment.stem}"])
    stage = yaml.safe_load(Path("dvc.yaml").read_text("utf-8"))["stages"]["code"]
    assert stage["always_changed"] and "deps" not in stage
    config = Path(".dvc/config").read_text("utf-8")
    assert config == (ROOT / ".dvc/config").read_text("utf-8")
    subprocess.run(["git", "rev-parse"], check=True)


def test_a_folder_with_files_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="already exists"):
        init.run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_unknown_model_makes_no_project(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a base model"):
        init.run(tmp_path / "mine", model="tiny")
    assert not (tmp_path / "mine").exists()
