"""A version of a small pipeline is reproduced from S3, in a clone that never ran it."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from s3_server import make_environment, serve_s3
from toy_repo import ROOT, ToyRepo

pytestmark = pytest.mark.slow
SMALL = {
    "data": {"max_rows": 900},
    "train": {"max_steps": 4, "must_learn": False, "evaluate_every": 4},
    "generation": {"latency_runs": 0, "warmup_runs": 0, "max_new_tokens": 8},
    "evaluate": {"requirements": None, "num_resamples": 100},
}


def reproduce(repo: ToyRepo, *options: str, fails: bool = False) -> Any:
    """The document of `graft reproduce`; its stages print before it."""
    told = repo("graft", "reproduce", "1", "--json", *options, fails=fails)
    return json.loads(told[told.index("\n{\n") :])


def test_a_version_is_reproduced_from_s3_in_a_clean_clone(tmp_path: Path) -> None:
    with serve_s3() as endpoint:
        environment = make_environment(endpoint)
        uri = f"sqlite:///{tmp_path}/mlflow.db"
        environment |= {"MLFLOW_TRACKING_URI": uri, "OMP_NUM_THREADS": "1"}
        toy = ToyRepo(tmp_path / "toy", {}, environment)
        here = toy.clone(ROOT, tmp_path / "here")
        params = yaml.safe_load(here.read("params.yaml"))
        for section, changes in SMALL.items():
            params[section] |= changes
        here.write("params.yaml", yaml.safe_dump(params, sort_keys=False))
        here.commit()
        here("graft", "remote")
        here("dvc", "repro")
        here.commit()
        here("dvc", "push")

        here("git", "clone", "-q", here.folder.as_uri(), str(tmp_path / "there"))
        there = here.clone(here.folder, tmp_path / "elsewhere")
        there.folder = tmp_path / "there"
        there("graft", "remote")
        found = reproduce(there, "--train")
        assert found["is_equal"] and found["tolerance"] == 0
        assert found["predictions"]["num_different"] == 0 and not found["scores"]
        first, second = found["adapters"]
        assert first == second
        assert there("git", "status", "--short") == ""

        known = json.loads(there("graft", "lineage", "1", "--json"))
        assert known["version"]["version"] == "1" and known["commits"]
        address = next(
            one["address"]
            for one in known["lineage"]["outputs"]
            if one["path"] == "data/splits"
        )
        assert re.fullmatch(r"s3://data/graft/files/md5/\w\w/\w{30}\.dir", address)
        (train,) = (here.folder / "data/splits/train").glob("*.parquet")
        name = pl.read_parquet(train, columns=["id"])["id"][0]
        assert "1 of 1 versions" in there("graft", "lineage", "--row", name)

        # Code that is not committed made the version anew.
        path = "src/graft/inference/results.py"
        here.write(path, here.read(path) + "\nANOTHER = 1\n")
        here("dvc", "repro")
        told = here("graft", "reproduce", "1", fails=True)
        assert "the committed code is not all that made it" in told and path in told

        # Without its data, the answer is not no.
        shutil.rmtree(there.folder / ".dvc/cache")
        there("dvc", "remote", "remove", "--local", "s3")
        told = there("graft", "lineage", "--row", name, fails=True)
        assert "neither in the cache nor on the remote" in told
