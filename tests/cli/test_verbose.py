"""Flags before the command: -v and -q."""

import subprocess
import sys
from pathlib import Path

import pytest

MAIN = "from graft.cli import main; main()"


def graft(folder: Path, *words: str) -> tuple[int, str]:
    """Run graft in an empty folder; status and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("flags", [["-v"], ["--verbose"], ["-q", "-v"]])
def test_verbose_shows_debug_messages_and_the_traceback_under_the_error(
    tmp_path: Path, flags: list[str]
) -> None:
    status, said = graft(tmp_path, *flags, "log", "run.jsonl")
    assert status == 1
    debug, _, error = said.partition("error: params.yaml: no such file")
    assert f"debug: graft: parameters from {tmp_path / 'params.yaml'}" in debug
    assert error.index("fix:") < error.index("Traceback (most recent call last)")


def test_without_it_an_error_is_a_message_alone(tmp_path: Path) -> None:
    for flags in ([], ["-q"]):
        status, said = graft(tmp_path, *flags, "log", "run.jsonl")
        assert status == 1 and said.startswith("error: ")
        assert "Traceback" not in said and "debug" not in said
