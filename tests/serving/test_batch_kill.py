"""A batch whose process is killed at any moment."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from batch_runs import read_lines, write_lines

NUM_KILLS = 20
NUM_ROWS = 160
PROGRAM = Path(__file__).parents[1] / "samples" / "batch_process.py"

Run = Callable[[Path, Path, float], tuple[int, float]]


@pytest.fixture(name="run")
def _run() -> Iterator[Run]:
    """Run a batch in a process that is killed after some seconds; its exit code, and
    the seconds that it ran."""
    paths = [str(PROGRAM.parent), os.environ.get("PYTHONPATH", "")]
    with subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            # Its forks would wait for threads that they do not have.
            **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
            "TOKENIZERS_PARALLELISM": "false",
            "HF_DEACTIVATE_ASYNC_LOAD": "1",
            "TQDM_DISABLE": "1",
        },
    ) as process:
        assert process.stdin and process.stdout

        def run(source: Path, out: Path, seconds: float) -> tuple[int, float]:
            assert process.stdin and process.stdout
            process.stdin.write(f"{source} {out} {seconds}\n")
            process.stdin.flush()
            code, ran = process.stdout.readline().split()
            return int(code), float(ran)

        yield run
        process.stdin.close()


@pytest.mark.slow
def test_a_process_killed_twenty_times_writes_the_bytes_of_an_unbroken_one(
    run: Run, tmp_path: Path
) -> None:
    rows = [{"id": n, "prompt": f"The cat number {n}."} for n in range(NUM_ROWS)]
    rows[5] = {"id": 5}
    source = write_lines(tmp_path / "in.jsonl", rows)
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    code, seconds = run(source, whole, 1e9)
    assert code == 0
    moments, written, codes, num_resumed = random.Random(16), dict[str, int](), [], 0
    while codes.count(-signal.SIGKILL) < NUM_KILLS:
        code, _ = run(source, broken, moments.uniform(0, seconds / 3))
        codes.append(code)
        work = tmp_path / ".broken.jsonl.batch"
        if broken.exists() and not work.exists():  # it has ended: begin again
            assert broken.read_bytes() == whole.read_bytes()
            broken.unlink()
            written = {}
            continue
        # A shard that was written is never written again.
        found = {file.name: file.stat().st_mtime_ns for file in work.glob("shard-*")}
        assert written.items() <= found.items()
        num_resumed += bool(written)
        written = found
    assert set(codes) <= {0, -signal.SIGKILL} and num_resumed
    if not broken.exists() or (tmp_path / ".broken.jsonl.batch").exists():
        assert run(source, broken, 1e9)[0] == 0
    assert broken.read_bytes() == whole.read_bytes()
    assert [row["id"] for row in read_lines(broken)] == list(range(NUM_ROWS))
    assert not (tmp_path / ".broken.jsonl.batch").exists()
