"""The train stage, killed again and again at moments of chance, or out of disk."""

import csv
import random
import time
from pathlib import Path

import pytest
from small_disk import fill
from train_pipeline import finish, make_pipeline, metrics_of, start

from graft.io import digest_files

NUM_KILLS, NUM_STEPS, EVERY = 20, 800, 10
NAMES = ("whole", "broken")


@pytest.mark.slow
def test_twenty_kills_leave_the_adapter_and_the_curves_of_an_unbroken_training(
    tmp_path: Path,
) -> None:
    rng = random.Random(0)
    make_pipeline(tmp_path, max_steps=NUM_STEPS, evaluate_every=EVERY)
    began = time.monotonic()
    with start(tmp_path, "whole") as whole:
        assert whole.stderr is not None
        next(line for line in whole.stderr if line.startswith("train: step"))
        to_first = time.monotonic() - began
        finish(whole)
    for number in range(NUM_KILLS):
        with start(tmp_path, "broken") as broken:
            assert broken.stderr is not None
            if number % 2:  # at work; else while it starts, or soon after
                next(line for line in broken.stderr if line.startswith("train: step"))
                time.sleep(2 * rng.random())
            else:
                time.sleep(to_first * (0.4 + 0.7 * rng.random()))
            assert broken.poll() is None, "it ended before it was killed"
            broken.kill()
    assert not (tmp_path / "broken" / "adapter").exists()
    with start(tmp_path, "broken") as last:
        finish(last)

    weights = ["adapter_model.safetensors"]
    one, other = (digest_files(tmp_path / n / "adapter", weights) for n in NAMES)
    assert one == other
    for part in ("train", "validation"):
        texts = [(tmp_path / n / "curves" / f"{part}.csv").read_text() for n in NAMES]
        assert texts[0] == texts[1]
        assert len(list(csv.DictReader(texts[0].splitlines()))) > NUM_STEPS / EVERY / 2
    assert len({(tmp_path / name / "train.json").read_bytes() for name in NAMES}) == 1
    (journal,) = (tmp_path / "broken").rglob("journal.jsonl")
    told = metrics_of(journal)
    assert len(told) == len(set(told)), "a metric was told twice"
    assert journal.read_text().count('"kind": "start"') == 1
    assert not list((tmp_path / "broken").rglob(".*partial"))


@pytest.mark.slow
def test_a_disk_that_fills_while_training_keeps_the_last_good_checkpoint(
    tmp_path: Path, small_disk: Path
) -> None:
    make_pipeline(tmp_path)
    with start(tmp_path, "whole") as whole:
        finish(whole)
    name = f"{small_disk.relative_to(tmp_path)}/run"
    with start(tmp_path, name) as stopped:
        assert stopped.stderr is not None
        next(line for line in stopped.stderr if line.startswith("train: step"))
        fill(small_disk, 0)
        said = stopped.communicate()[1]
    assert stopped.returncode == 1 and "the disk is full" in said
    assert "Traceback" not in said
    assert list((tmp_path / name).rglob("step-*"))
    (small_disk / "filler").unlink()
    with start(tmp_path, name) as again:
        finish(again)
    weights = ["adapter_model.safetensors"]
    assert digest_files(tmp_path / name / "adapter", weights) == digest_files(
        tmp_path / "whole" / "adapter", weights
    )
