"""The generate stage, killed again and again at moments of chance."""

import os
import random
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from tiny_pipeline import (
    make_adapter,
    make_base,
    make_params,
    make_splits,
    make_train_report,
)

from graft.config.params import load_params
from graft.inference.generated import MEASURES, TABLE, read_generated
from graft.io import write_batches, write_json
from graft.models.files import tokenizer_digests
from graft.records import SEQUENCE_SCHEMA

ROOT = Path(__file__).parents[2]
NUM_EXAMPLES, PER_CHUNK, NUM_KILLS = 96, 4, 10


def make_inputs(folder: Path) -> None:
    """Write a base model, an adapter and splits."""
    make_base(folder / "base")
    values = load_params(ROOT / "params.yaml").to_plain()
    params = make_params(values, folder / "base").to_plain()
    params["generation"] |= {
        "max_new_tokens": 48,
        "batch_size": 1,
        "latency_runs": 0,
        "warmup_runs": 0,
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    checked = load_params(folder / "params.yaml")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`")
        make_adapter(checked, folder / "adapter")
        make_train_report(checked, folder / "adapter", folder / "train.json")
    digests = {"tokenizer_files": tokenizer_digests(checked.model)}
    write_json(folder / "tokenize.json", digests)
    make_splits(folder / "splits")
    rows = [
        {
            "id": f"test {number}",
            "messages": [
                {"role": "user", "content": f"The cat sleeps {'well ' * (number % 7)}"},
                {"role": "assistant", "content": f"Le chat {number} dort."},
            ],
            "references": [],
            "group": f"test {number}",
            "stratum": "all",
            "split": None,
            "where": f"test:{number}",
            "input_ids": [1, 5 + number, 7, 9],
            "loss_mask": [False, False, True, True],
            "num_bytes": 18,
            "augmented": False,
        }
        for number in range(NUM_EXAMPLES)
    ]
    table = pa.Table.from_pylist(rows, SEQUENCE_SCHEMA)
    write_batches(folder / "splits" / "test", [table], SEQUENCE_SCHEMA)


def start(inputs: Path, folder: Path) -> subprocess.Popen[str]:
    """Start the stage; its journal and predictions go to the folder."""
    flags = {
        "params": "params.yaml",
        "splits": "splits",
        "tokens": "tokenize.json",
        "adapter": "adapter",
        "training": "train.json",
    }
    words = [w for flag, name in flags.items() for w in (f"--{flag}", inputs / name)]
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "graft.stages.generate", *words, "--out", "predictions"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # One thread: sums of more are not made in the same order each time.
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for a stage that must succeed."""
    stderr = process.communicate(timeout=600)[1]
    assert process.returncode == 0, stderr


def num_finished(folder: Path) -> int:
    """Chunks in the journal."""
    path = folder / ".graft" / "generate.jsonl"
    return max(0, path.read_bytes().count(b"\n") - 1) if path.is_file() else 0


def wait_for(process: subprocess.Popen[str], folder: Path, number: int) -> None:
    """Wait until so many chunks are finished."""
    while num_finished(folder) < number:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)


@pytest.mark.slow
def test_ten_kills_leave_the_predictions_of_an_unbroken_run(tmp_path: Path) -> None:
    rng = random.Random(0)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    make_inputs(tmp_path)
    began = time.monotonic()
    with start(tmp_path, whole) as process:
        wait_for(process, whole, 1)
        to_first = time.monotonic() - began
        finish(process)
    per_chunk = (time.monotonic() - began - to_first) / (NUM_EXAMPLES // PER_CHUNK)
    moments = []
    for number in range(NUM_KILLS):
        before = num_finished(broken)
        with start(tmp_path, broken) as process:
            if number % 2:  # while it starts and goes on from the journal
                time.sleep(to_first * rng.random())
            else:  # at work, or while it writes to the journal
                wait_for(process, broken, before + rng.randint(1, 3))
                time.sleep(per_chunk * rng.random())
            assert process.poll() is None, "it ended before it was killed"
            process.kill()
        moments.append(num_finished(broken))
        assert not (broken / "predictions").exists()
    assert len(set(moments)) >= NUM_KILLS // 2, "the kills are not spread"
    with start(tmp_path, broken) as process:
        finish(process)

    one, other = (
        sorted((f / "predictions" / TABLE).rglob("*")) for f in (whole, broken)
    )
    assert [path.name for path in one] == [path.name for path in other] != []
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert (broken / "predictions" / MEASURES).is_file()
    assert len(read_generated(broken / "predictions").predictions) == NUM_EXAMPLES
    assert num_finished(broken) == 0, "the journal of a finished run is left"
