"""What `dvc exp run` does to a params.yaml that was edited by hand."""

import shutil
from pathlib import Path

import pytest
from toy_repo import ToyRepo

STAGE = {
    "cmd": "test ${adapter.rank} -lt 500 && echo ${adapter.rank} > out",
    "params": ["adapter.rank"],
    "outs": ["out"],
}


@pytest.fixture
def repo(tmp_path: Path) -> ToyRepo:
    return ToyRepo(tmp_path / "repo", {"one": STAGE}, {})


def edit(repo: ToyRepo) -> str:
    """Change the rank by hand."""
    text = repo.read("params.yaml").replace("rank: ", "rank: 1")
    repo.write("params.yaml", text)
    return text


def test_an_edit_is_refused_by_its_keys_and_stays_as_it_is(repo: ToyRepo) -> None:
    edited = edit(repo)
    before = repo("git", "status", "--short")
    for words in (["-S", "adapter.alpha=5"], ["--queue"], ["--temp"]):
        said = repo("dvc", "exp", "run", *words, fails=True)
        assert "params.yaml: edited by hand" in said
        assert "- adapter.rank: 1" in said and "in configs/" in said
        assert repo.read("params.yaml") == edited
        assert repo("git", "status", "--short") == before
    assert repo("git", "stash", "list") == ""


@pytest.mark.slow
def test_an_edit_in_a_folder_of_a_larger_repository_is_refused(
    repo: ToyRepo,
) -> None:
    folder = repo.folder / "team/été nlp"
    folder.mkdir(parents=True)
    for name in ("configs", "scripts", "params.yaml", "dvc.yaml", ".dvc"):
        repo("git", "mv", name, f"team/été nlp/{name}")
    repo.folder = folder
    repo("git", "commit", "-qm", "Move")
    edited = edit(repo)
    assert "edited by hand" in repo("dvc", "exp", "run", fails=True)
    assert repo.read("params.yaml") == edited
    repo("git", "commit", "-qam", "Edit")
    repo("dvc", "exp", "run", "-S", "adapter.rank=7")
    assert repo.read("out") == "7\n"


@pytest.mark.slow
def test_an_edit_is_run_without_hydra(repo: ToyRepo) -> None:
    edited = edit(repo)
    repo("dvc", "repro")
    repo("dvc", "exp", "run", "--no-hydra")
    assert repo.read("params.yaml") == edited


@pytest.mark.slow
def test_an_edit_whose_run_failed_is_still_an_edit(repo: ToyRepo) -> None:
    edited = edit(repo).replace("rank: 1", "rank: 9")
    repo.write("params.yaml", edited)
    repo("dvc", "exp", "run", "--no-hydra", fails=True)
    assert "edited by hand" in repo("dvc", "exp", "run", fails=True)
    assert repo.read("params.yaml") == edited


@pytest.mark.slow
def test_what_dvc_or_graft_composed_is_no_edit(repo: ToyRepo) -> None:
    repo("dvc", "exp", "run", "-S", "adapter.rank=5")
    repo("dvc", "exp", "run", "-S", "adapter.rank=6")
    repo("dvc", "exp", "run", "-S", "adapter.rank=600", fails=True)
    repo("dvc", "exp", "run", "-S", "adapter.rank=7")
    repo.commit()
    repo("dvc", "exp", "run", "--queue", "-S", "adapter.rank=8,9")
    lora = repo.read("configs/adapter/lora.yaml").replace("rank: ", "rank: 1")
    repo.write("configs/adapter/lora.yaml", lora)
    repo("graft", "params")
    repo("dvc", "exp", "run", "-S", "adapter.rank=10")
    assert repo.read("out") == "10\n"


@pytest.mark.slow
def test_an_edit_that_is_staged_is_refused_and_stays_staged(repo: ToyRepo) -> None:
    edited = edit(repo)
    repo("git", "add", "params.yaml")
    assert "edited by hand" in repo("dvc", "exp", "run", fails=True)
    assert "edited by hand" in repo("dvc", "exp", "run", "--queue", fails=True)
    assert repo.read("params.yaml") == edited
    assert repo("git", "diff", "--cached", "--name-only") == "params.yaml\n"


@pytest.mark.slow
def test_an_edit_on_a_detached_head_is_refused(repo: ToyRepo) -> None:
    repo("git", "checkout", "-q", "--detach")
    edited = edit(repo)
    assert "edited by hand" in repo("dvc", "exp", "run", fails=True)
    assert repo.read("params.yaml") == edited


@pytest.mark.slow
def test_an_edit_in_a_submodule_is_refused(repo: ToyRepo, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    repo("git", "-C", str(outer), "init", "-q")
    allow = "protocol.file.allow=always"
    add = ("-c", allow, "submodule", "--quiet", "add", str(repo.folder), "nlp")
    repo("git", "-C", str(outer), *add)
    repo.folder = outer / "nlp"
    edited = edit(repo)
    assert "edited by hand" in repo("dvc", "exp", "run", fails=True)
    assert repo.read("params.yaml") == edited
    repo("git", "checkout", "-q", "params.yaml")
    repo("dvc", "exp", "run", "-S", "adapter.rank=7")
    assert repo.read("out") == "7\n"


@pytest.mark.slow
def test_without_git_no_experiment_runs_and_an_edit_stays(repo: ToyRepo) -> None:
    edited = edit(repo)
    shutil.rmtree(repo.folder / ".git")
    repo("dvc", "config", "core.no_scm", "true")
    repo("dvc", "exp", "run", fails=True)
    assert repo.read("params.yaml") == edited
    repo("dvc", "repro")
    assert repo.read("params.yaml") == edited
