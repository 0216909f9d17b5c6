"""Commits of a real git repository."""

import subprocess
from pathlib import Path

import pytest
import yaml

from graft.registry.lineage_commits import Commits
from graft.tracking.place import lock_digest


class Repository:
    """A git repository whose dvc.lock has one stage."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self("init", "-q", ".")

    def __call__(self, *words: str) -> str:
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        done = subprocess.run(
            ["git", *who, *words],
            cwd=self.root,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, md5: str, *options: str, score: str = "1") -> str:
        """Commit a dvc.lock; returns the commit."""
        stages = {"train": {"md5": md5}, "evaluate": {"md5": score}}
        text = yaml.safe_dump({"stages": stages})
        (self.root / "dvc.lock").write_text(text, encoding="utf-8")
        self("add", "--all")
        self("commit", "-qm", md5, *options)
        return self("rev-parse", "HEAD")


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def digest(md5: str) -> str:
    return lock_digest({"stages": {"train": {"md5": md5}}}, "evaluate")


def test_commits_are_found_by_their_lock_latest_first(repository: Repository) -> None:
    first = repository.commit("a")
    repository.commit("b")
    again = repository.commit("a", score="2")  # the entry of evaluate does not count
    lock, commits = Commits(repository.root).with_lock(digest("a"))
    assert lock["stages"]["train"] == {"md5": "a"}
    assert commits == [again, first]
    assert Commits(repository.root).with_lock(digest("c")) == ({}, [])


def test_a_commit_on_another_branch_is_found(repository: Repository) -> None:
    repository.commit("a")
    repository("checkout", "-qb", "other")
    other = repository.commit("b")
    repository("checkout", "-q", "-")
    assert Commits(repository.root).with_lock(digest("b"))[1] == [other]


def test_a_commit_that_was_amended_away_is_not_in_a_clone(
    repository: Repository, tmp_path: Path
) -> None:
    amended = repository.commit("a")
    kept = repository.commit("a", "--amend", "--allow-empty", "-mOther")
    commits = Commits(repository.root)
    assert commits.state(amended) == "unreachable"
    assert commits.state(kept) == "present"
    repository("clone", "-q", repository.root.as_uri(), str(tmp_path / "clone"))
    commits = Commits(tmp_path / "clone")
    assert commits.state(amended) == commits.state("") == "missing"
    assert commits.state(kept) == "present"
    assert commits.with_lock(digest("a"))[1] == [kept]


def test_a_lock_that_is_not_valid_is_skipped(repository: Repository) -> None:
    first = repository.commit("a")
    (repository.root / "dvc.lock").write_text("<<<<<<< {", encoding="utf-8")
    repository("commit", "-qam", "Conflict")
    assert Commits(repository.root).with_lock(digest("a"))[1] == [first]


def test_outside_of_git_there_are_no_commits(tmp_path: Path) -> None:
    commits = Commits(tmp_path)
    assert (
        commits.with_lock(digest("a")) == ({}, [])
        and commits.state("0" * 40) == "missing"
    )


def test_a_commit_that_is_only_checked_out_is_present(repository: Repository) -> None:
    repository.commit("a")
    repository("checkout", "-q", "--detach")
    detached = repository.commit("b")
    assert Commits(repository.root).state(detached) == "present"
