"""An experiment that DVC computes elsewhere is computed by the code of its commit."""

import shutil
from pathlib import Path

import pytest
from toy_repo import ROOT, ToyRepo

STAGE = {
    "cmd": "python -m graft.stages.one",
    "deps": ["src"],
    "params": ["adapter.rank"],
    "outs": ["out"],
}
CODE = """
from pathlib import Path
Path("out").write_text("{}")
"""


@pytest.fixture
def repo(tmp_path: Path) -> ToyRepo:
    """A repository with code of its own, and an environment that imports other code."""
    other = tmp_path / "workspace/src"
    made = ToyRepo(tmp_path / "one", {"one": STAGE}, {"PYTHONPATH": str(other)})
    for source, text in ((other, "the workspace"), (made.folder / "src", "first")):
        compiled = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "src/graft", source / "graft", ignore=compiled)
        (source / "graft/stages/one.py").write_text(CODE.format(text))
    made.commit()
    return made


def outcome(repo: ToyRepo, name: str) -> str:
    repo("git", "stash", "-q")
    repo("dvc", "exp", "apply", name)
    return repo.read("out")


@pytest.mark.slow
def test_a_queued_experiment_runs_the_code_that_it_was_queued_with(
    repo: ToyRepo,
) -> None:
    repo("dvc", "exp", "run", "--queue", "--name", "queued", "-S", "adapter.rank=5")
    repo.write("src/graft/stages/one.py", CODE.format("edited later"))
    repo("dvc", "exp", "run", "--run-all")
    assert outcome(repo, "queued") == "first"


def test_a_temporary_experiment_runs_the_code_that_it_has(repo: ToyRepo) -> None:
    repo.write("src/graft/stages/one.py", CODE.format("edited before"))
    repo("dvc", "exp", "run", "--temp", "--name", "temp", "-S", "adapter.rank=6")
    assert outcome(repo, "temp") == "edited before"


@pytest.mark.slow
def test_a_worktree_with_the_environment_of_another_runs_its_own_code(
    repo: ToyRepo,
) -> None:
    repo("git", "worktree", "add", "-q", "--detach", "../second")
    other = repo.folder.parent / "second"
    (other / "src/graft/stages/one.py").write_text(CODE.format("of the worktree"))
    repo("dvc", "--cd", str(other), "repro")
    assert (other / "out").read_text() == "of the worktree"


@pytest.mark.slow
def test_a_queued_experiment_has_the_configuration_and_stages_it_was_queued_with(
    repo: ToyRepo,
) -> None:
    repo("dvc", "exp", "run", "--queue", "--name", "queued", "-S", "train.seed=5")
    rank = repo.read("params.yaml").split("rank: ")[1].split("\n")[0]
    lora = repo.read("configs/adapter/lora.yaml").replace("rank: ", "rank: 1")
    repo.write("configs/adapter/lora.yaml", lora)
    stages = repo.read("dvc.yaml").replace("graft.stages.one", "graft.stages.gone")
    repo.write("dvc.yaml", stages)
    repo("dvc", "exp", "run", "--run-all")
    assert outcome(repo, "queued") == "first"
    assert f"rank: {rank}\n" in repo.read("params.yaml")
    assert "seed: 5\n" in repo.read("params.yaml")
