"""The train stage as a process of its own, killed and run again."""

import csv
import json
from pathlib import Path

import pytest
import yaml
from train_pipeline import (
    EVERY,
    NUM_STEPS,
    finish,
    kill_after,
    make_pipeline,
    metrics_of,
    start,
)

from graft.io import digest_files, read_json


@pytest.mark.slow
def test_a_killed_stage_goes_on_as_the_same_run_to_the_same_adapter(
    tmp_path: Path,
) -> None:
    make_pipeline(tmp_path)
    with start(tmp_path, "whole") as whole:
        finish(whole)
    with start(tmp_path, "broken") as broken:
        kill_after(broken, f"train: step {3 * EVERY}/")
    assert not (tmp_path / "broken" / "adapter").exists()
    (journal,) = (tmp_path / "broken").rglob("journal.jsonl")
    run_id = json.loads(journal.read_text().splitlines()[0])["values"]["key"]
    with start(tmp_path, "broken") as again:
        said = finish(again)
    assert f"step {2 * EVERY}/" not in said
    assert f"step {NUM_STEPS}/" in said

    assert read_json(tmp_path / "broken" / "adapter" / "graft.json")["run_id"] == run_id
    for part in ("train", "validation"):
        text = (tmp_path / "broken" / "curves" / f"{part}.csv").read_text()
        steps = [int(row["step"]) for row in csv.DictReader(text.splitlines())]
        assert steps == sorted(set(steps)) and steps[-1] == NUM_STEPS
        assert text == (tmp_path / "whole" / "curves" / f"{part}.csv").read_text()
    told = metrics_of(journal)
    assert len(told) == len(set(told))

    names = ["adapter_model.safetensors"]
    one, other = (
        digest_files(tmp_path / name / "adapter", names) for name in ("whole", "broken")
    )
    assert one == other
    reports = [(tmp_path / n / "train.json").read_bytes() for n in ("whole", "broken")]
    assert reports[0] == reports[1]
    assert not list((tmp_path / "broken").rglob("step-*"))


def test_a_misspelt_metric_is_refused_before_any_weights_are_loaded(
    tmp_path: Path,
) -> None:
    make_pipeline(tmp_path)
    file = tmp_path / "params.yaml"
    values = yaml.safe_load(file.read_text())
    values["evaluate"]["metrics"].append("bleau")
    file.write_text(yaml.safe_dump(values))
    with start(tmp_path, "misspelt") as process:
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert "error: evaluate.metrics: unknown metrics: bleau" in said
    assert not (tmp_path / "misspelt").exists()
