"""A small pipeline up to the train stage, and that stage as a separate process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from tiny_pipeline import make_base, make_params
from tracking_stores import make_store

from graft.config.params import load_params
from graft.io import write_batches, write_json
from graft.models.files import tokenizer_digests
from graft.prompts import load_template
from graft.records import SEQUENCE_SCHEMA

ROOT = Path(__file__).parents[2]
NUM_STEPS, EVERY = 80, 9
"""Steps of the training, and steps between two checkpoints."""


def make_pipeline(folder: Path, **changes: Any) -> None:
    """Write a base model, parameters and splits of random tokens; keywords change the
    `train` section."""
    make_base(folder / "base")
    make_store(folder)
    values = load_params(ROOT / "params.yaml").to_plain()
    values["train"] |= {
        "device": "cpu",
        "max_steps": NUM_STEPS,
        "evaluate_every": EVERY,
        "log_every": 4,
        "early_stopping_patience": None,
    } | changes
    values["adapter"] |= {"rank": 4, "alpha": 8.0, "dropout": 0.1}
    params = make_params(values, folder / "base")
    (folder / "params.yaml").write_text(yaml.safe_dump(params.to_plain()))
    template = load_template(params.model, params.prompt)
    known = {
        "template_hash": template.hash,
        "tokenizer_files": tokenizer_digests(params.model),
    }
    write_json(folder / "reports" / "tokenize.json", known)
    for split, count in (("train", 160), ("validation", 8), ("test", 8)):
        rows = [
            {
                "id": f"{split}-{number}",
                "messages": [{"role": "user", "content": "a"}],
                "references": [],
                "group": str(number),
                "stratum": "all",
                "split": None,
                "where": f"{split}:{number}",
                "input_ids": [3 + (number * 7 + i * i) % 250 for i in range(30)],
                "loss_mask": [i > 10 for i in range(30)],
                "num_bytes": 19,
                "augmented": False,
            }
            for number in range(count)
        ]
        table = pa.Table.from_pylist(rows, SEQUENCE_SCHEMA)
        write_batches(folder / "splits" / split, [table], SEQUENCE_SCHEMA)


def start(folder: Path, name: str) -> subprocess.Popen[str]:
    """Start the stage; checkpoints and results go to `name`."""
    flags = {
        "params": "params.yaml",
        "splits": "splits",
        "tokens": "reports/tokenize.json",
        "checkpoints": f"{name}/checkpoints",
        "out": f"{name}/adapter",
        "report": f"{name}/train.json",
        "curves": f"{name}/curves",
    }
    words = [word for flag, value in flags.items() for word in (f"--{flag}", value)]
    return subprocess.Popen(
        [sys.executable, "-m", "graft.stages.train", *words],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a stage that must succeed; returns its stderr."""
    stderr = process.communicate(timeout=120)[1]
    assert process.returncode == 0, stderr
    return stderr


def metrics_of(journal: Path) -> list[tuple[str, int]]:
    """Name and step of each value that the run logged, in order."""
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    return [
        (name, event["values"]["step"])
        for event in events
        if event["kind"] == "metrics"
        for name in event["values"]["metrics"]
    ]


def kill_after(process: subprocess.Popen[str], line: str) -> None:
    """Send SIGKILL when the process writes a line that starts with `line`."""
    assert process.stderr is not None
    for output in process.stderr:
        if output.startswith(line):
            break
    else:
        pytest.fail(f"the stage ended without printing {line!r}")
    process.send_signal(signal.SIGKILL)
    process.wait()
