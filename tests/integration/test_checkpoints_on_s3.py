"""Copies of checkpoints on a real S3 API."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from s3_server import make_environment, serve_s3

from graft.cloud.checkpoint_remote import VARIABLE, find_checkpoint_remote
from graft.cloud.remote_folder import RemoteFolder
from graft.errors import StorageError
from graft.training.stores import open_store

KEY = "0123"
# Saves two checkpoints; the second has weights of 200 MB.
TRAINING = """
import os, sys, torch
from pathlib import Path
from graft.cloud.checkpoint_remote import find_checkpoint_remote
from graft.training.checkpoints import Progress
from graft.training.stores import open_store

remote = find_checkpoint_remote(os.environ)
store = open_store(Path("checkpoints"), "0123", 2, remote)
for step, size in ((1, 3), (2, 50_000_000)):
    store.save(Progress(step, 0, 1, 1.0, 0, []), {"w": torch.zeros(size)}, {})
    store.close()
"""


@pytest.fixture(name="remote")
def _remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[RemoteFolder]:
    with serve_s3() as endpoint:
        values = make_environment(endpoint) | {VARIABLE: "s3://data/checkpoints"}
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        found = find_checkpoint_remote(os.environ)
        assert found is not None
        yield found


@pytest.mark.slow
def test_a_machine_that_is_killed_while_it_copies_leaves_the_checkpoint_before(
    tmp_path: Path, remote: RemoteFolder
) -> None:
    training = f"{KEY}/training-000"
    with subprocess.Popen([sys.executable, "-c", TRAINING], cwd=tmp_path) as killed:
        while not remote.names(f"{training}/step-000002"):
            assert killed.poll() is None
            time.sleep(0.05)
        killed.kill()
    assert "manifest.json" not in remote.names(f"{training}/step-000002")
    store = open_store(tmp_path / "fresh", KEY, 2, remote)
    last = store.load_last()
    assert last is not None and (last[0].step, len(last[1]["w"])) == (1, 3)
    subprocess.run([sys.executable, "-c", TRAINING], cwd=tmp_path, check=True)
    last = open_store(tmp_path / "other", KEY, 2, remote).load_last()
    assert last is not None and (last[0].step, len(last[1]["w"])) == (2, 50_000_000)
    store.finish()
    assert remote.names(training) == {"started", "finished"}


@pytest.mark.slow
def test_a_bucket_that_does_not_exist_is_refused_before_anything_is_trained(
    tmp_path: Path, remote: RemoteFolder
) -> None:
    del remote  # its server runs
    other = find_checkpoint_remote({VARIABLE: "s3://no-such-bucket/checkpoints"})
    with pytest.raises(StorageError, match="no-such-bucket") as error:
        open_store(tmp_path, KEY, 2, other)
    assert "pa55word" not in str(error.value)
