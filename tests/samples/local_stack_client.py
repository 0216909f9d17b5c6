"""`make stack` in a process, and what its client can do."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).parents[2]
MODEL = "graft-translation"
REGISTER = (
    "import sys; sys.path.insert(0, 'tests/samples'); import served_process as s; "
)


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

    def tag(self, key: str) -> None:
        """Set a tag of the champion."""
        words = {"name": MODEL, "version": "1", "key": key, "value": key}
        self.mlflow("model-versions/set-tag", words)

    def tags(self) -> set[str]:
        """Keys of the champion's tags; none while MLflow does not answer."""
        try:
            found = self.mlflow(f"model-versions/get?name={MODEL}&version=1")
        except OSError:
            return set()
        return {one["key"] for one in found["model_version"].get("tags", ())}

    def mlflow(self, path: str, body: object = None) -> Any:
        """The answer of MLflow's API. Raises: OSError."""
        pair = f"admin:{self.values['MLFLOW_TRACKING_PASSWORD']}".encode()
        request = urllib.request.Request(
            f"{self.values['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/{path}",
            None if body is None else json.dumps(body).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": f"Basic {b64encode(pair).decode()}",
            },
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def put(self, name: str) -> None:
        """Write an object."""
        self.s3().put_object(Bucket="data", Key=f"kills/{name}", Body=name.encode())

    def objects(self) -> set[str]:
        """What `put` wrote; nothing while the store does not answer."""
        try:
            found = self.s3().list_objects_v2(Bucket="data", Prefix="kills/")
            return {
                self.s3()
                .get_object(Bucket="data", Key=one["Key"])["Body"]
                .read()
                .decode()
                for one in found.get("Contents", ())
            }
        except (BotoCoreError, ClientError):
            return set()

    def s3(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.values["AWS_ENDPOINT_URL_S3"],
            region_name=self.values["AWS_REGION"],
            aws_access_key_id=self.values["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.values["AWS_SECRET_ACCESS_KEY"],
        )

    def ask(self, key: str | None = None) -> tuple[int, str]:
        """Status of a chat request, and the version that answered."""
        message = {"role": "user", "content": "The cat sleeps."}
        request = urllib.request.Request(
            self.values["GRAFT_API_URL"] + "/v1/chat/completions",
            json.dumps({"model": MODEL, "messages": [message]}).encode(),
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


def wait_for(condition: Callable[[], bool], log: Path, timeout_s: float = 1200) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, log.read_text("utf-8")
        time.sleep(0.2)


class Stack:
    """`make stack` in a process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder.with_suffix(".log")
        self.start()

    def start(self) -> Client:
        """Returns: a client, as soon as the stores and MLflow are ready."""
        (self.folder / "env").unlink(missing_ok=True)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [sys.executable, "scripts/stack.py", str(self.folder)],
                cwd=ROOT,
                env=dict(clean(os.environ)),
                stdout=out,
                stderr=out,
            )
        wait_for(self.has_begun, self.log)
        assert self.process.poll() is None, self.log.read_text("utf-8")
        return Client(self.folder)

    def has_begun(self) -> bool:
        return (self.folder / "env").is_file() or self.process.poll() is not None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(300)


def clean(environment: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in environment.items() if name[:6] != "MLFLOW"}


def processes(folder: Path) -> dict[int, str]:
    """Those that the stack of a folder started: command by number."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        if f"GRAFT_STACK={folder}".encode() in variables:
            found[int(entry.name)] = words.decode()
    return found
