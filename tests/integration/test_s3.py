"""Push to a real S3 API, clone elsewhere, pull: the same result without training."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_repo import ROOT, ToyRepo

BUCKET = "data"
# An adapter of several files, a score, and a log line for each execution.
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
    """The address of an S3 server in a separate process, with one bucket."""
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
    """Wait until a server listens on the port."""
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("no S3 server after 30 s")


@pytest.fixture
def environment(endpoint: str) -> dict[str, str]:
    """The variables that a user sets in .env, with fake credentials."""
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


def test_a_clone_pulls_and_has_the_same_result_without_training_again(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    repo = ToyRepo(tmp_path / "repo", STAGES, environment)
    repo("dvc", "repro")
    repo.commit()
    assert f"use s3://{BUCKET}/graft" in repo("graft", "remote")
    assert "3 files pushed" in repo("dvc", "push")  # two files, and their folder
    assert repo("git", "status", "--short") == ""
    repo("git", "grep", "pa55word", fails=True)
    for path in (repo.folder / ".dvc").glob("config*"):
        assert "pa55word" not in path.read_text(encoding="utf-8")

    other = repo.clone(repo.folder, tmp_path / "elsewhere" / "clone")
    other("graft", "remote")
    other("dvc", "pull")
    assert (other.folder / "models/adapter/a").read_text() == "weights\n"
    assert "up to date" in other("dvc", "status")
    log = "graft-translation.log"
    before = other.read(log)
    assert "up to date" in other("dvc", "repro")
    assert other.read(log) == before == "train\nevaluate\n"
    assert other.read("reports/evaluate.json") == repo.read("reports/evaluate.json")


@pytest.mark.slow
def test_a_clone_of_this_repository_pulls_the_default_pipeline_and_runs_nothing(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    toy = ToyRepo(tmp_path / "toy", {}, environment)
    here = toy.clone(ROOT, tmp_path / "here")
    here("dvc", "cache", "dir", "--local", str(ROOT / ".dvc/cache"))
    if json.loads(here("dvc", "data", "status", "--json")).get("not_in_cache"):
        pytest.skip(
            "the outputs of dvc.lock are not here: dvc repro, then commit dvc.lock"
        )
    here("graft", "remote")
    here("dvc", "push")
    assert count_objects(environment) < 100

    there = here.clone(here.folder, tmp_path / "there")
    there("graft", "remote")
    there("dvc", "pull")
    for name in ("models/adapter/adapter_model.safetensors", "predictions/README.md"):
        assert (there.folder / name).is_file()
    before = there("git", "status", "--short")
    assert "up to date" in there("dvc", "repro")
    assert there("git", "status", "--short") == before == ""
    assert "tuned" in there("dvc", "metrics", "show")


def count_objects(environment: dict[str, str]) -> int:
    """Objects in the bucket."""
    code = (
        "import boto3; pages = boto3.client('s3').get_paginator('list_objects_v2');"
        f"print(sum(p['KeyCount'] for p in pages.paginate(Bucket={BUCKET!r})))"
    )
    keep = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=keep | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)
