import subprocess
from pathlib import Path

import pytest

from graft.config import RegistryConfig
from graft.tracking.journal import Journal
from graft.tracking.place import (
    artifact_location,
    commit_address,
    lock_tags,
    repository_root,
    sqlite_file,
    tracking_uri,
)
from graft.tracking.run import Run

REGISTRY = RegistryConfig(name="m", experiment="e", tracking_uri="sqlite:///mlflow.db")


def test_a_run_in_a_working_copy_of_dvc_is_stored_in_the_repository(
    tmp_path: Path,
) -> None:
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "tmp1234"
    assert repository_root(copy) == repository_root(copy / "deep") == tmp_path
    assert repository_root(tmp_path) == tmp_path
    uri = tracking_uri(REGISTRY, copy, {})
    assert uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert artifact_location(uri) == (tmp_path / "mlartifacts").as_uri()


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:5000", "sqlite:////tmp/a.db", "sqlite://", "databricks"]
)
def test_an_absolute_address_stays_as_it_is(tmp_path: Path, uri: str) -> None:
    registry = REGISTRY.model_copy(update={"tracking_uri": uri})
    assert tracking_uri(registry, tmp_path, {}) == uri


def test_the_environment_overrides_the_configuration(tmp_path: Path) -> None:
    there = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:1"}
    assert tracking_uri(REGISTRY, tmp_path, there) == "http://127.0.0.1:1"


def test_a_server_decides_where_artifacts_are_stored() -> None:
    assert artifact_location("http://127.0.0.1:5000") is None


@pytest.mark.parametrize("name", ["why?", "a%20b"])
def test_special_characters_in_a_folders_name_do_not_change_the_address(
    tmp_path: Path, name: str
) -> None:
    copy = tmp_path / name / ".dvc" / "tmp" / "exps" / "tmp1"
    assert tracking_uri(REGISTRY, tmp_path / name, {}) == "sqlite:///./mlflow.db"
    assert tracking_uri(REGISTRY, copy, {}) == "sqlite:///../../../../mlflow.db"
    assert sqlite_file("sqlite:////a/m.db?timeout=5") == Path("/a/m.db")


@pytest.mark.parametrize(
    "remote, page",
    [
        ("https://github.com/a/b.git", "https://github.com/a/b"),
        ("https://me:secret@git.example.org/a/b", "https://git.example.org/a/b"),
        ("git@gitlab.com:group/sub/b.git", "https://gitlab.com/group/sub/b"),
        ("ssh://git@host.example.org:2222/a/b.git", "https://host.example.org/a/b"),
        ("/srv/git/b.git", ""),
    ],
)
def test_a_commit_has_the_page_of_its_remote_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remote: str, page: str
) -> None:
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    assert commit_address("abc") == ""
    subprocess.run(["git", "remote", "add", "origin", remote], check=True)
    assert commit_address("abc") == (f"{page}/commit/abc" if page else "")


def test_the_lock_tag_covers_the_other_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not lock_tags("two")
    lock = Path("dvc.lock")
    lock.write_text("stages: {one: {outs: a}, two: {outs: b}}", encoding="utf-8")
    first = lock_tags("two")
    lock.write_text("stages: {two: {outs: c}, one: {outs: a}}", encoding="utf-8")
    assert lock_tags("two") == first != lock_tags("one")
    lock.write_text("stages: {one: {outs: d}, two: {outs: b}}", encoding="utf-8")
    assert lock_tags("two")["dvc.lock"] != first["dvc.lock"]


def test_the_digest_of_parameters_is_of_their_values(tmp_path: Path) -> None:
    def digest(name: str, **params: object) -> str:
        run = Run(Journal(tmp_path / name), "sqlite:///unused.db", "key")
        run.log_params(params)
        (event,) = Journal(tmp_path / name).of_kind("tags")
        return str(event.values["params.digest"])

    first = digest("a", rank=8, alpha=16)
    assert digest("b", alpha=16, rank=8) == first
    assert digest("c", alpha=16, rank=9) != first
