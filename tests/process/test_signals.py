"""Processes of stages and commands that receive a signal."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

STAGE = """
import time
from pathlib import Path
from graft import cli

def run() -> None:
    with open("open", "w") as file:
        try:
            print("ready", flush=True)
            time.sleep(60)
        finally:
            Path("closed").touch()

cli.stage(run, composes=COMPOSES)
"""
IMPORTING = """
import time
from graft.process import signals

SET
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Children would ignore SIGINT, too, if a shell started the tests by `&`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt(
    program: str, number: signal.Signals, folder: Path
) -> tuple[int, list[str]]:
    """Send a signal to a running program; returns its status and lines of stderr."""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        return process.wait(30), process.stderr.read().splitlines()


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_ends_a_stage_with_one_message_and_closes_what_is_open(
    tmp_path: Path, number: signal.Signals, status: int, word: str
) -> None:
    program = STAGE.replace("COMPOSES", "False")
    code, lines = interrupt(program, number, tmp_path)
    assert code == status
    assert lines[0] == word and len(lines) == 2
    assert "dvc repro" in lines[1] and "last checkpoint" in lines[1]
    assert (tmp_path / "closed").exists()


def test_an_interrupted_command_prints_nothing_else(tmp_path: Path) -> None:
    program = STAGE.replace("COMPOSES", "True")
    assert interrupt(program, signal.SIGINT, tmp_path) == (130, ["interrupted"])


@pytest.mark.parametrize(
    ("setting", "count"),
    [
        ("signals.exit_stage_at_once()", 2),
        ("(now := signals.handled(signals.exit_at_once)).__enter__()", 1),
    ],
)
def test_a_signal_during_imports_shows_no_traceback(
    tmp_path: Path, setting: str, count: int
) -> None:
    program = IMPORTING.replace("SET", setting)
    code, lines = interrupt(program, signal.SIGTERM, tmp_path)
    assert (code, lines[0], len(lines)) == (143, "terminated", count)


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    program = STAGE.replace("COMPOSES", "False").replace("sleep(60)", "sleep(1)")
    assert interrupt(ignored + program, signal.SIGINT, tmp_path) == (0, [])
