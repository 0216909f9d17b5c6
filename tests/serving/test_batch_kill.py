"""A batch whose process is killed at any moment."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from batch_runs import read_lines, write_lines

NUM_KILLS = 20
NUM_ROWS = 160
PROGRAM = Path(__file__).parents[1] / "samples" / "batch_process.py"


def start(source: Path, out: Path) -> "subprocess.Popen[str]":
    """A process whose model is loaded."""
    paths = [str(PROGRAM.parent), os.environ.get("PYTHONPATH", "")]
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(source), str(out)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )
    assert process.stdout and process.stdout.readline() == "begun\n"
    return process


def finish(process: "subprocess.Popen[str]") -> None:
    process.communicate()
    assert process.returncode == 0


@pytest.mark.slow
def test_a_process_killed_twenty_times_writes_the_bytes_of_an_unbroken_one(tmp_path):
    rows = [{"id": n, "prompt": f"The cat number {n}."} for n in range(NUM_ROWS)]
    rows[5] = {"id": 5}
    source = write_lines(tmp_path / "in.jsonl", rows)
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    process, before = start(source, whole), time.monotonic()
    finish(process)
    seconds = time.monotonic() - before
    moments, written = random.Random(16), dict[str, int]()
    num_killed, num_resumed = 0, 0
    for _ in range(NUM_KILLS):
        if broken.exists():
            assert broken.read_bytes() == whole.read_bytes()
            broken.unlink()
            written.clear()
        process = start(source, broken)
        try:
            process.wait(moments.uniform(0, seconds / 3))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            num_killed += 1
        process.communicate()
        # A shard that was written is never written again.
        found = {
            shard.name: shard.stat().st_mtime_ns
            for shard in (tmp_path / ".broken.jsonl.batch").glob("shard-*")
        }
        if found:
            assert written.items() <= found.items()
            num_resumed += bool(written)
            written = found
    if not broken.exists():
        finish(start(source, broken))
    assert num_killed >= NUM_KILLS / 2 and num_resumed
    assert broken.read_bytes() == whole.read_bytes()
    assert [row["id"] for row in read_lines(broken)] == list(range(NUM_ROWS))
    assert sorted(tmp_path.iterdir()) == sorted([source, whole, broken])
