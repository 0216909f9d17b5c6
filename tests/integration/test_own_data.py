"""README's section "Your own data in five minutes", command by command."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from own_pairs import write_pairs
from toy_repo import ROOT, ToyRepo

SECTION = re.compile(r"^## Your own data.*?^```\n(.*?)^```", re.DOTALL | re.MULTILINE)
NEEDED = ("data/sample", "decisions", "models/tiny", "src", "scripts", ".dvcignore")


def readme_commands() -> list[str]:
    """The commands in README, one per line."""
    found = SECTION.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found
    return found.group(1).splitlines()


@pytest.fixture
def repo(tmp_path: Path) -> ToyRepo:
    """A copy of this repository, and a file in the user's home."""
    made = ToyRepo(tmp_path / "repo", {}, {"OMP_NUM_THREADS": "1"})
    tracked = subprocess.run(
        ["git", "ls-files", *NEEDED], cwd=ROOT, check=True, capture_output=True
    ).stdout.decode()
    for name in [*tracked.splitlines(), "dvc.yaml"]:
        target = made.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    made.commit()
    write_pairs(tmp_path / "pairs.csv")
    return made


def test_a_temporary_workspace_finds_data_that_were_just_added(repo: ToyRepo) -> None:
    add, _, run, *_ = readme_commands()
    output = repo("bash", "-ec", add)
    assert "source: english, target: french" in output and f"next     {run}" in output
    assert "400 rows" in output
    output = repo("bash", "-ec", f"{run} --temp convert")
    assert "convert: 400 rows in = 400 kept" in output
    status = repo("git", "status", "--porcelain").split()
    assert status[::2] == ["A"] * 4, "git has what describes the data, and only that"
    repo("bash", "-ec", add, fails=True)  # the name is taken


@pytest.mark.slow
def test_every_command_of_the_readme_works_in_its_order(repo: ToyRepo) -> None:
    for command in readme_commands():
        output = repo("bash", "-ec", command)
    assert "mine" in output
    shown = json.loads(repo("dvc", "exp", "show", "--json"))
    found = [e for line in shown for e in line.get("experiments") or []]
    assert len(found) == 3
    ranks = []
    for experiment in found:
        data = experiment["revs"][-1]["data"]
        assert not experiment["revs"][-1].get("error")
        ranks.append(data["params"]["params.yaml"]["data"]["adapter"]["rank"])
        assert set(data["metrics"]) == {"reports/metrics.json", "reports/train.json"}
    assert sorted(ranks) == [8, 16, 32]
