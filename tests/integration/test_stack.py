"""The services of deploy/compose as processes: registered, served, broken, rolled back,
killed and started again."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
REGISTER = (
    "import sys; sys.path.insert(0, 'tests/samples'); import served_process as s; "
)
pytestmark = pytest.mark.slow


class Client:
    """What somebody who sourced the file of variables can do."""

    def __init__(self, folder: Path) -> None:
        lines = (folder / "env").read_text("utf-8").splitlines()
        self.values = dict(line.split("=", 1) for line in lines)

    def run(self, *words: str) -> str:
        """The output of a program of this environment."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=os.environ | self.values,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def register(self, folder: Path, alias: str) -> None:
        folder.mkdir()
        self.run(
            "-c",
            REGISTER
            + f"s.register(__import__('pathlib').Path({str(folder)!r}), {alias!r})",
        )

    def graft(self, *words: str) -> str:
        return self.run("-c", "from graft.cli import main; main()", *words)

    def ask(self, key: str | None = None) -> tuple[int, str]:
        """Status of a chat request, and the version that answered."""
        message = {"role": "user", "content": "The cat sleeps."}
        request = urllib.request.Request(
            self.values["GRAFT_API_URL"] + "/v1/chat/completions",
            json.dumps({"model": "graft-translation", "messages": [message]}).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {key or self.values['GRAFT_API_KEY']}",
            },
        )
        status, version = status_of(request, "x-graft-version")
        return status, version.rpartition("/")[2]


def status_of(request: Any, header: str = "") -> tuple[int, str]:
    """Status and a header; status 0 if nobody answers."""
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers.get(header, "")
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def wait_for(condition: Callable[[], bool], log: Path, timeout_s: float = 400) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, log.read_text("utf-8")
        time.sleep(0.2)


@contextmanager
def stack(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the stack until the end of the block."""
    log = folder.with_suffix(".log")
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "scripts/stack.py", str(folder)],
            cwd=ROOT,
            env=dict(clean(os.environ)),
            stdout=out,
            stderr=out,
        )
    try:
        wait_for(lambda: (folder / "env").is_file() or process.poll() is not None, log)
        assert process.poll() is None, log.read_text("utf-8")
        yield process
    finally:
        process.terminate()
        process.wait(120)


def clean(environment: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in environment.items() if name[:6] != "MLFLOW"}


def serving(folder: Path) -> list[int]:
    """Processes of the stack that run `graft serve`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = (
                f"GRAFT_STACK={folder}".encode() in (entry / "environ").read_bytes()
            )
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if is_ours and b"serve" in words:
            found.append(int(entry.name))
    return found


@pytest.fixture(name="place")
def _place() -> Iterator[Path]:
    """A folder through which PostgreSQL's user passes, unlike those of pytest."""
    with TemporaryDirectory(prefix="graft-stack-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


AGAIN = """
import mlflow
client = mlflow.MlflowClient()
first = client.get_model_version_by_alias("graft-translation", "champion")
second = client.create_model_version(
    first.name, first.source, first.run_id, model_id=first.model_id
)
client.set_registered_model_alias(first.name, "champion", second.version)
"""
"""Register the champion's adapter a second time, as champion."""
COUNT = """
import boto3
print(boto3.client("s3").list_objects_v2(Bucket="mlflow")["KeyCount"])
"""


def test_a_champion_is_served_swapped_rolled_back_and_survives_every_kill(
    place: Path,
) -> None:
    folder, log = place / "stack", place / "stack.log"
    with stack(folder) as process:
        client = Client(folder)
        assert (folder / "env").stat().st_mode & 0o077 == 0
        experiments = "/api/2.0/mlflow/experiments/search?max_results=1"
        assert status_of(client.values["MLFLOW_TRACKING_URI"] + experiments)[0] == 401
        client.register(place / "first", "champion")
        assert int(client.run("-c", COUNT)) > 4
        wait_for(lambda: client.ask() == (200, "1"), log)
        assert client.ask("another key")[0] == 401
        client.run("-W", "ignore", "-c", AGAIN)
        wait_for(lambda: client.ask() == (200, "2"), log)
        client.graft("rollback", "--to", "1", "--reason", "the second one is worse")
        wait_for(lambda: client.ask() == (200, "1"), log)
        for pid in serving(folder):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: client.ask()[0] == 0, log)
        wait_for(lambda: client.ask() == (200, "1"), log)
        process.kill()
        process.wait()
        (folder / "env").unlink()
    with stack(folder):
        client = Client(folder)
        wait_for(lambda: client.ask() == (200, "1"), log)
        client.graft("rollback", "--to", "2", "--reason", "it was not")
        wait_for(lambda: client.ask() == (200, "2"), log)
    wait_for(lambda: not serving(folder), log, 60)
    secrets = (folder / "secrets").read_text("utf-8").split()
    texts = [file.read_text("utf-8", "replace") for file in folder.glob("logs/*.log")]
    texts.append(log.read_text("utf-8"))
    assert not [one for one in secrets for text in texts if one.split("=")[1] in text]
