"""Push to a real S3 API, clone elsewhere, pull: the same result without training."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_repo import ToyRepo

BUCKET = "data"
# An adapter of several files and a score, and a mark in the log of each execution.
STAGES = {
    "train": {
        "cmd": "echo train >> ${registry.name}.log && mkdir -p models/adapter && "
        "echo weights > models/adapter/a && echo record > models/adapter/b",
        "params": ["adapter.rank", "registry.name"],
        "outs": ["models/adapter"],
    },
    "evaluate": {
        "cmd": "echo evaluate >> ${registry.name}.log && mkdir reports && "
        """echo '{"bleu": 61}' > reports/evaluate.json""",
        "deps": ["models/adapter"],
        "metrics": [{"reports/evaluate.json": {"cache": False}}],
    },
}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of an S3 server in a process of its own, with one bucket."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            wait_for(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    """Wait until something listens."""
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("no S3 server after 30 s")


@pytest.fixture
def environment(endpoint: str) -> dict[str, str]:
    """What a user fills into .env, and the credentials of nobody."""
    found = {
        "GRAFT_S3_URL": f"s3://{BUCKET}/graft",
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "pa55word",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    code = f"import boto3; boto3.client('s3').create_bucket(Bucket={BUCKET!r})"
    keep = {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1"}
    subprocess.run([sys.executable, "-c", code], env=keep | found, check=True)
    return found


def clone(repo: ToyRepo, folder: Path) -> ToyRepo:
    """A clone, with the same environment and nothing else in common."""
    repo("git", "clone", "-q", str(repo.folder), str(folder))
    other = ToyRepo.__new__(ToyRepo)
    other.folder, other.environment = folder, repo.environment
    return other


def test_a_clone_pulls_and_has_the_same_result_without_training_again(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    repo = ToyRepo(tmp_path / "repo", STAGES, environment)
    repo("dvc", "repro")
    repo.commit()
    assert f"use s3://{BUCKET}/graft" in repo("graft", "remote")
    assert "3 files pushed" in repo("dvc", "push")  # two files, and their folder
    assert repo("git", "status", "--short") == ""
    assert "pa55word" not in repo("git", "grep", "-c", "", "--", ".", ":!.gitignore")
    for path in (repo.folder / ".dvc").glob("config*"):
        assert "pa55word" not in path.read_text(encoding="utf-8")

    other = clone(repo, tmp_path / "elsewhere" / "clone")
    other("graft", "remote")
    other("dvc", "pull")
    assert (other.folder / "models/adapter/a").read_text() == "weights\n"
    assert "up to date" in other("dvc", "status")
    log = "graft-translation.log"
    before = other.read(log)
    assert "up to date" in other("dvc", "repro")
    assert other.read(log) == before == "train\nevaluate\n"
    assert other.read("reports/evaluate.json") == repo.read("reports/evaluate.json")
