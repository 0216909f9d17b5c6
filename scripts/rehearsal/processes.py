"""Programs that run beside the rehearsal, each with a log of its own."""

import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_S = 120.0


def require(*programs: str) -> None:
    """Raises: SystemExit if a program is not installed."""
    for name in programs:
        if shutil.which(name) is None:
            raise SystemExit(
                f"error: {name} is not installed\n  fix (Debian): apt-get install "
                "prometheus prometheus-alertmanager"
            )


@contextmanager
def running(
    name: str,
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program until the end of the block; it writes NAME.log in the folder."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            words,
            env={**os.environ, **(environment or {})},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(what: str, condition: Callable[[], object], seconds: float) -> float:
    """Wait until a condition holds. Returns: the seconds that it took.

    Raises: TimeoutError after the time.
    """
    start = time.monotonic()
    while not condition():
        if time.monotonic() > start + seconds:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.1)
    return time.monotonic() - start


def wait_until_answers(
    url: str, process: "subprocess.Popen[bytes]", log: Path, scale: float
) -> None:
    """Wait until an address answers with status 200."""

    def answers() -> bool:
        if process.poll() is not None:
            raise SystemExit(f"error: {log.stem} ended:\n{log.read_text('utf-8')}")
        try:
            with urllib.request.urlopen(url, timeout=5) as found:
                return bool(found.status == 200)
        except OSError:
            return False

    wait_for(url, answers, START_S * scale)
