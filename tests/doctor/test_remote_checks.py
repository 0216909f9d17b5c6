"""DVC's remotes, with a real S3 server and folders."""

import socket
from pathlib import Path

import pytest
from s3_server import make_environment, serve_s3

from graft.cloud.data import read_remotes
from graft.doctor.remotes import (
    check_committed,
    check_remotes,
    reach_remote,
)

HERE = {"url": "s3://data/graft"}


def test_without_a_default_remote_there_is_a_warning() -> None:
    (found,) = check_remotes("", {}, lambda _: "")
    assert found.status == "warning" and "graft remote" in found.fix


def test_each_remote_is_checked_and_its_password_is_not_shown() -> None:
    remotes = {"a": HERE, "b": {"url": "https://ann:pa55@host/x"}}
    found = check_remotes("a", remotes, lambda one: "" if one is HERE else "refused")
    assert [(one.subject, one.status) for one in found] == [
        ("remote a (default)", "ok"),
        ("remote b", "error"),
    ]
    assert "pa55" not in str(found)


def test_a_default_remote_without_an_address_is_an_error() -> None:
    assert check_remotes("lost", {}, lambda _: "")[-1].status == "error"


def test_a_remote_whose_plugin_is_missing_is_an_error() -> None:
    (found,) = check_remotes("g", {"g": {"url": "gs://bucket"}}, lambda _: "")
    assert found.status == "error" and "dvc[gs]" in found.fix


def test_a_remote_that_nobody_answers_for_is_an_error() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    closed = {"url": f"http://127.0.0.1:{port}/x"}
    assert check_remotes("h", {"h": closed}, reach_remote)[0].status == "error"


def test_a_folder_is_reached_if_it_can_be_written(tmp_path: Path) -> None:
    assert reach_remote({"url": str(tmp_path / "new")}) == ""
    assert "not writable" in reach_remote({"url": "/proc/1/new"})


def test_credentials_that_git_keeps_are_an_error() -> None:
    assert check_committed("[core]\nanalytics = false\n", "f")[0].status == "ok"
    text = '["remote \\"a\\""]\n    secret_access_key = pa55\n'
    (found,) = check_committed(text, ".dvc/config")
    assert found.status == "error" and "secret_access_key" in found.found
    assert "pa55" not in str(found)


def test_options_in_several_files_are_one_remote(tmp_path: Path) -> None:
    folder = tmp_path / ".dvc"
    folder.mkdir()
    (folder / "config").write_text("[core]\nremote = a\n['remote \"a\"']\nurl = x\n")
    (folder / "config.local").write_text("['remote \"a\"']\nregion = r\n")
    assert read_remotes(tmp_path) == ("a", {"a": {"url": "x", "region": "r"}})


def test_a_bucket_on_a_real_server_is_reached_and_a_missing_one_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serve_s3() as endpoint:
        for name, value in make_environment(endpoint).items():
            monkeypatch.setenv(name, value)
        options = {**HERE, "endpointurl": endpoint, "region": "us-east-1"}
        assert reach_remote(options) == ""
        assert "no bucket" in reach_remote({**options, "url": "s3://nowhere/x"})
    assert "Could not connect" in reach_remote(options)
