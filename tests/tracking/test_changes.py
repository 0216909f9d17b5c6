"""The state of the code and of dvc.lock at registration."""

import subprocess
from pathlib import Path

import pytest

from graft.tracking.place import changed_files, lock_digest


def git(*words: str) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *who, *words], check=True, capture_output=True)


def test_changed_and_untracked_files_are_listed_and_ignored_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not changed_files()
    git("init", "-q", ".")
    for name in ("a.py", "b é.py", "c.py"):
        Path(name).write_text("1", encoding="utf-8")
    Path(".gitignore").write_text("out\n", encoding="utf-8")
    git("add", "--all")
    git("commit", "-qm", "All")
    assert not changed_files()
    Path("b é.py").write_text("2", encoding="utf-8")
    Path("c.py").unlink()
    Path("new.py").write_text("3", encoding="utf-8")
    Path("out").write_text("4", encoding="utf-8")
    assert changed_files() == ["b é.py", "c.py", "new.py"]


def test_the_digest_of_a_lock_depends_on_all_stages_before_the_running_one() -> None:
    lock = {"stages": {"train": {"md5": "1"}, "evaluate": {"md5": "2"}}}
    certified = {"certify": {"md5": "5"}}
    again = {"stages": {"evaluate": {"md5": "3"}, "train": {"md5": "1"}} | certified}
    other = {"stages": {"train": {"md5": "4"}, "evaluate": {"md5": "2"}}}
    assert lock_digest(lock, "evaluate") == lock_digest(again, "evaluate")
    assert lock_digest(lock, "evaluate") != lock_digest(other, "evaluate")
