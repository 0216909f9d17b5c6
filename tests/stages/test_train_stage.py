"""The train stage as a process of its own, killed and run again."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from tiny_line import make_base, make_params

from graft.io import digest_files, read_json, write_batches, write_json
from graft.params import load_params
from graft.prompts import load_template
from graft.records import SEQUENCE_SCHEMA

ROOT = Path(__file__).parents[2]
NUM_STEPS, EVERY = 80, 9


def make_line(folder: Path) -> None:
    """A base, parameters and splits of 160 sequences of random tokens."""
    make_base(folder / "base")
    values = load_params(ROOT / "params.yaml").to_plain()
    values["train"] |= {
        "device": "cpu",
        "max_steps": NUM_STEPS,
        "evaluate_every": EVERY,
        "log_every": 4,
        "early_stopping_patience": None,
    }
    values["adapter"] |= {"rank": 4, "alpha": 8.0, "dropout": 0.1}
    params = make_params(values, folder / "base")
    (folder / "params.yaml").write_text(yaml.safe_dump(params.to_plain()))
    template = load_template(params.model, params.task.prompt)
    write_json(folder / "reports" / "tokenize.json", {"template_hash": template.hash})
    for split, count in (("train", 160), ("validation", 8)):
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
                "learned": [i > 10 for i in range(30)],
                "num_bytes": 19,
                "augmented": False,
            }
            for number in range(count)
        ]
        table = pa.Table.from_pylist(rows, SEQUENCE_SCHEMA)
        write_batches(folder / "splits" / split, [table], SEQUENCE_SCHEMA)


def start(folder: Path, name: str) -> subprocess.Popen[str]:
    """Start the stage; `name` is where checkpoints and results go."""
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


def kill_after(process: subprocess.Popen[str], line: str) -> None:
    """Kill -9 when the process has written a line that starts so."""
    assert process.stderr is not None
    for said in process.stderr:
        if said.startswith(line):
            break
    else:
        pytest.fail(f"the stage ended without saying {line!r}")
    process.send_signal(signal.SIGKILL)
    process.wait()


def finish(process: subprocess.Popen[str]) -> str:
    """What a stage that must succeed says until its end."""
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    return said


@pytest.mark.slow
def test_a_killed_stage_goes_on_as_the_same_run_to_the_same_adapter(
    tmp_path: Path,
) -> None:
    make_line(tmp_path)
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
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    told = [
        (name, event["values"]["step"])
        for event in events
        if event["kind"] == "metrics"
        for name in event["values"]["metrics"]
    ]
    assert len(told) == len(set(told))

    names = ["adapter_model.safetensors"]
    one, other = (
        digest_files(tmp_path / name / "adapter", names) for name in ("whole", "broken")
    )
    assert one == other
    reports = [(tmp_path / n / "train.json").read_bytes() for n in ("whole", "broken")]
    assert reports[0] == reports[1]
    assert not list((tmp_path / "broken").rglob("step-*"))
