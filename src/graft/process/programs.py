"""Programs that graft runs: git and DVC."""

import subprocess
import sys
from pathlib import Path

from graft.errors import StorageError


def run_program(*command: str, folder: Path | None = None, expected: str = "") -> str:
    """The output of a program; `dvc` is the one in this Python environment.

    Args:
        command: the program and its arguments.
        folder: working directory; by default the current one.
        expected: what the program requires, for the error.
    Raises: StorageError if the program is not installed, or fails.
    """
    called = [sys.executable, "-m", *command] if command[0] == "dvc" else command
    try:
        done = subprocess.run(
            called, cwd=folder, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise StorageError(
            command[0],
            "program not found",
            fix=f"install {command[0]}, then try again",
        ) from error
    if done.returncode:
        raise StorageError(
            " ".join(command),
            done.stderr.strip() or done.stdout.strip() or "failed without a message",
            expected=expected,
            fix="correct the cause that the message names, then try again",
        )
    return done.stdout
