"""vLLM in a Python environment and a process of its own, asked and answered by files.

vLLM does not install beside graft's locked libraries. `vllm_worker` is the program that
its Python runs, and says what the files contain.
"""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from graft import io
from graft.errors import ConfigError, ModelError
from graft.inference import vllm_worker
from graft.inference.vllm_worker import ANSWERS, REQUESTS, SETTINGS

POLL_S = 0.2
"""Seconds between two looks for new answers."""
LOG = "vllm.log"
_SHOWN_LINES = 5
_VERSION = """
from importlib.metadata import packages_distributions, version
print(version(packages_distributions()["vllm"][0]))
"""


class Answer(NamedTuple):
    """What vLLM made of a request.

    Args:
        key: of the request.
        tokens: up to a stop token, or the limit.
        finish: vLLM's reason.
        seconds: from entering the batch to the end.
        share_s: the duration of its chunk, divided by the number of requests.
    """

    key: str
    tokens: list[int]
    finish: str | None
    seconds: float
    share_s: float


_ANSWER = TypeAdapter(Answer)


def vllm_version(python: str) -> str:
    """The version of vLLM in an environment, which is not imported.

    Args:
        python: the environment's interpreter.
    Raises: ConfigError if there is none.
    """
    try:
        done = subprocess.run(
            [python, "-I", "-c", _VERSION],
            capture_output=True,
            text=True,
            check=True,
            env=_environment(),
        )
    except (OSError, subprocess.CalledProcessError) as error:
        lines = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise ConfigError(
            f"generation.vllm_python={python}",
            f"no Python with vLLM: {lines[-1] if lines else error}",
            expected="the interpreter of an environment in which vLLM is installed",
            fix="make one: python -m venv DIR; DIR/bin/pip install vllm; then set "
            "generation.vllm_python=DIR/bin/python, or set generation.backend=engine",
        ) from error
    return done.stdout.strip()


def run_vllm(
    python: str,
    folder: Path,
    settings: Mapping[str, Any],
    chunks: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Iterator[tuple[str, list[Answer]]]:
    """Answer chunks of requests; yields each once it is answered, by its name.

    Args:
        python: the interpreter.
        folder: for the files; it is emptied. The log stays if vLLM fails.
        settings, chunks: as `vllm_worker` reads them; chunks in the order of their
            names.
    Raises: ModelError if vLLM fails, or does not answer each request exactly once.
    """
    io.remove(folder)
    folder.mkdir(parents=True)
    io.write_json(folder / SETTINGS, settings)
    for name, rows in chunks.items():
        io.write_json_lines(folder / f"{name}{REQUESTS}", rows)
    with _started(python, folder) as process:
        for name, rows in chunks.items():
            path = folder / f"{name}{ANSWERS}"
            while not path.is_file():
                # Its last file may have appeared just before it ended.
                if process.poll() is not None and not path.is_file():
                    raise _failed(python, process.returncode, folder / LOG)
                sleep(POLL_S)
            yield name, read_answers(path, [row["key"] for row in rows])
    io.remove(folder)


def read_answers(path: Path, keys: Sequence[str]) -> list[Answer]:
    """The answers to requests with these keys, in their order.

    Raises: ModelError unless each has exactly one.
    """
    answers = {}
    counts: Counter[str] = Counter(dict.fromkeys(keys, 0))
    for where, value in io.read_json_lines(path):
        try:
            answer = _ANSWER.validate_python(value)
        except ValidationError as error:
            raise _wrong(where, f"not an answer: {error.errors()[0]['msg']}") from error
        answers[answer.key] = answer
        counts[answer.key] += 1
    for problem, found in {
        "not answered": [key for key in keys if not counts[key]],
        "answered more than once": [key for key in keys if counts[key] > 1],
        "answered, but not asked for": [key for key in answers if key not in {*keys}],
    }.items():
        if found:
            raise _wrong(
                str(path),
                f"{len(found)} of {len(keys)} requests are {problem}, such as "
                f"{found[0]}",
            )
    return [answers[key] for key in keys]


@contextmanager
def _started(python: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process, which does not outlive the context; nor do those that it starts."""
    command = [python, "-I", vllm_worker.__file__, str(folder)]
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # ends with this process, and so does the program
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _environment() -> dict[str, str]:
    """Of the process: without this environment's Python, the Hub, or usage reports."""
    ours = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}


def _failed(python: str, status: int, log: Path) -> ModelError:
    lines = log.read_text("utf-8", errors="replace").strip().splitlines()
    last = "\n    ".join(lines[-_SHOWN_LINES:]) or "it printed nothing"
    return ModelError(
        python,
        f"vLLM ended with exit status {status}, before all answers:\n    {last}",
        expected="an answer to each request",
        fix=f"read {log} for the cause, or set generation.backend=engine",
    )


def _wrong(where: str, problem: str) -> ModelError:
    return ModelError(
        where,
        problem,
        expected="one answer to each request",
        fix="run the stage again, or set generation.backend=engine",
    )
