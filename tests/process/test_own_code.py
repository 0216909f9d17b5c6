import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from graft.errors import ConfigError
from graft.process.own_code import use_own_code

Started = list[tuple[list[str], str]]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with its own code."""
    package = tmp_path / "a copy, of 100 % #1" / "src/graft"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    return package.parents[1]


def start(folder: Path, imported: Path, environment: Mapping[str, str]) -> Started:
    started: Started = []

    def execute(_file: str, words: Sequence[str], variables: Mapping[str, str]) -> None:
        started.append((list(words), variables["PYTHONPATH"]))

    use_own_code(folder, imported, execute, environment)
    return started


def test_a_folder_without_code_and_one_whose_code_was_imported_change_nothing(
    copy: Path, tmp_path: Path
) -> None:
    assert not start(tmp_path, Path("/elsewhere/graft"), {})
    link = tmp_path / "link"
    link.symlink_to(copy)
    assert not start(link, copy / "src/graft", {})


def test_another_folders_code_is_left_for_the_same_command_with_ones_own(
    copy: Path,
) -> None:
    words = [sys.executable, *sys.orig_argv[1:]]
    again = start(copy, Path("/elsewhere/graft"), {"PYTHONPATH": "/mine:/yours"})
    assert again == [(words, f"{copy}/src:/mine:/yours")]
    assert start(copy, Path("/elsewhere/graft"), {})[0][1] == f"{copy}/src"


@pytest.mark.parametrize("name", ["plain", "with:a colon"])
def test_what_pythonpath_cannot_bring_is_refused_by_both_places(
    copy: Path, name: str
) -> None:
    copy = copy.rename(copy.parent / name)
    with pytest.raises(ConfigError, match="/elsewhere/graft was imported") as raised:
        start(copy, Path("/elsewhere/graft"), {"PYTHONPATH": f"{copy}/src"})
    assert str(copy / "src/graft") in raised.value.expected and raised.value.fix


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "graft.stages.added_here", "--out", "a b"],
        ["-c", "from graft.cli import main; main()", "params", "--out", "a b"],
    ],
)
def test_a_process_runs_what_its_folder_has_and_the_environment_lacks(
    copy: Path, command: list[str]
) -> None:
    for package in ("stages", "commands"):
        (copy / "src/graft" / package).mkdir()
        (copy / "src/graft" / package / "__init__.py").touch()
    say = (
        "import os, sys\n"
        "{}print('own code', *sys.argv[-2:], os.environ['PYTHONPATH'])\n"
    )
    (copy / "src/graft/stages/added_here.py").write_text(say.format(""))
    (copy / "src/graft/cli.py").write_text(say.format("def main(): "))
    output = subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert output == f"own code --out a b {copy}/src:{ROOT}/src\n"


def test_a_command_in_a_subfolder_runs_the_nearest_code(copy: Path) -> None:
    deep = copy / "docs/more"
    deep.mkdir(parents=True)
    assert start(deep, Path("/elsewhere/graft"), {})[0][1] == f"{copy}/src"
    assert not start(deep, copy / "src/graft", {})
    inner = copy / ".dvc/tmp/exps/tmp1"
    (inner / "src/graft").mkdir(parents=True)
    (inner / "src/graft/__init__.py").touch()
    assert start(inner, copy / "src/graft", {})[0][1] == f"{inner}/src"
