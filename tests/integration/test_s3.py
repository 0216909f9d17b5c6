"""Push to a real S3 API, clone elsewhere, pull: the same result without training."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from s3_server import BUCKET, make_environment, serve_s3
from toy_repo import ROOT, ToyRepo

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
    """The address of an S3 server in a separate process."""
    with serve_s3() as address:
        yield address


@pytest.fixture
def environment(endpoint: str) -> dict[str, str]:
    """The variables of a user, for a bucket on the server."""
    return make_environment(endpoint)


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
