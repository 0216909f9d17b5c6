"""Merging the shards of the request log, and copying them."""

import os
import random
import socket
import time
from pathlib import Path

import pyarrow as pa
import pytest
from logged_requests import log_config, logged_ids, served_request
from waiting import wait_until

from graft.cloud.remote_folder import RemoteFolder
from graft.errors import StorageError
from graft.monitoring.request_log import merging
from graft.monitoring.request_log.copying import ShardCopier
from graft.monitoring.request_log.merging import (
    SHARDS_PER_MERGE,
    merge_shards,
    remove_replaced,
)
from graft.monitoring.request_log.recorder import RequestRecorder
from graft.monitoring.request_log.retention import (
    ABANDONED_S,
    remove_abandoned,
    remove_oldest,
)
from graft.monitoring.request_log.schema import SCHEMA, to_row
from graft.monitoring.request_log.shard import Shard, list_shards, write_shard


def write(folder: Path, *numbers: int) -> Shard:
    """A shard for each request."""
    for number in numbers:
        row = to_row(served_request(number), None, None)
        shard = Shard.new(row["time_ms"], row["time_ms"], 0)
        write_shard(folder, shard, [pa.Table.from_pylist([row], SCHEMA)])
    return shard


def levels(folder: Path) -> list[int]:
    return [shard.level for shard in list_shards(folder)]


class FakeRemote:
    """Files in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.is_dead = False

    def _check(self) -> None:
        if self.is_dead:
            raise StorageError("s3://bucket", "no answer")

    def names(self) -> set[str]:
        self._check()
        return set(self.files)

    def put(self, file: Path) -> None:
        self._check()
        self.files[file.name] = file.read_bytes()

    def remove(self, name: str) -> None:
        self._check()
        self.files.pop(name, None)

    def to_folder(self, folder: Path) -> Path:
        folder.mkdir()
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        return folder


def test_small_shards_become_larger_ones_with_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "SHARDS_PER_MERGE", 4)
    number = 4**2 + 3
    write(tmp_path, *range(number))
    while merge_shards(tmp_path):
        pass
    assert sorted(levels(tmp_path)) == [0, 0, 0, 2]
    assert logged_ids(tmp_path) == [f"request-{n}" for n in range(number)]


def test_few_or_large_shards_are_not_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, *range(SHARDS_PER_MERGE - 1))
    assert merge_shards(tmp_path) is None
    write(tmp_path, 99)
    monkeypatch.setattr(merging, "SMALL_BYTES", 1)
    assert merge_shards(tmp_path) is None


def test_a_merge_that_is_killed_at_any_point_neither_loses_nor_doubles_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, *range(SHARDS_PER_MERGE))
    expected = logged_ids(tmp_path)

    def killed(_folder: Path) -> None:
        for name in random.Random(1).sample(sorted(old), 5):
            (tmp_path / name).unlink()
        raise KeyboardInterrupt

    old = {shard.name for shard in list_shards(tmp_path)}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(merging, "remove_replaced", killed)
        merge_shards(tmp_path)
    assert len(levels(tmp_path)) == SHARDS_PER_MERGE - 5 + 1
    assert logged_ids(tmp_path) == expected
    remove_replaced(tmp_path)
    assert levels(tmp_path) == [1] and logged_ids(tmp_path) == expected


def test_the_remote_has_each_row_once_after_merges_and_failures(tmp_path: Path) -> None:
    folder, remote = tmp_path / "log", FakeRemote()
    folder.mkdir()
    copier = ShardCopier(folder, remote)
    write(folder, *range(SHARDS_PER_MERGE))
    copier.copy()
    assert len(remote.files) == SHARDS_PER_MERGE
    merge_shards(folder)
    remote.is_dead = True
    with pytest.raises(StorageError):
        copier.copy()
    assert logged_ids(remote.to_folder(tmp_path / "before")) == logged_ids(folder)
    remote.is_dead = False
    ShardCopier(folder, remote).copy()  # of a new process
    assert set(remote.files) == {shard.name for shard in list_shards(folder)}
    assert logged_ids(remote.to_folder(tmp_path / "after")) == logged_ids(folder)


def test_a_remote_that_is_a_folder_has_whole_files(tmp_path: Path) -> None:
    remote = RemoteFolder(str(tmp_path / "remote"))
    assert remote.names() == set()
    log = RequestRecorder(log_config(), tmp_path / "log", remote=remote)
    log.observe(served_request(1))
    log.close()
    assert logged_ids(tmp_path / "remote") == ["request-1"]
    assert log.num_upload_failures == 0
    with pytest.raises(FileNotFoundError):
        remote.put(tmp_path / "nothing")


def test_what_has_a_copy_is_not_lost_when_it_is_removed_here(tmp_path: Path) -> None:
    copied = {write(tmp_path, number).name for number in (1, 2)}
    write(tmp_path, 3)
    assert remove_oldest(tmp_path, 0, copied) == (0, 1)


def test_without_a_remote_retention_is_no_loss(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    assert remove_oldest(tmp_path, 0, None) == (0, 0)
    assert not list_shards(tmp_path)


def test_a_dead_s3_is_counted_and_what_it_missed_is_copied_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nobody listens
        port = unused.getsockname()[1]
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "nobody")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
        dead = RemoteFolder("s3://bucket/requests")
        log = RequestRecorder(log_config(), tmp_path / "log", remote=dead)
        log.observe(served_request(1))
        wait_until(lambda: log.num_upload_failures > 0, timeout_s=60)
        log.close()
    assert log.num_written == log.num_observed == 1
    remote = FakeRemote()
    log = RequestRecorder(log_config(), tmp_path / "log", remote=remote)
    wait_until(lambda: len(remote.files) == 1)  # without a further request
    log.close()


def test_partial_files_of_killed_servers_are_removed_after_a_while(
    tmp_path: Path,
) -> None:
    old, new = (tmp_path / f".{Shard.new(1, n, 0).name}.partial" for n in (1, 2))
    old.write_text("")
    new.write_text("")
    past = time.time() - ABANDONED_S - 1
    os.utime(old, (past, past))
    remove_abandoned(tmp_path)
    assert not old.exists() and new.exists()
