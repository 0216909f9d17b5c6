"""`mlflow.pyfunc` in a fresh process, with the code of the version itself."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from graft import io
from graft.errors import ModelError
from graft.records import Message
from graft.registry.certificate import WayAnswers

PROGRAM = Path(__file__).with_name("pyfunc_process.py")


class PyfuncProcess:
    """The process, as a context manager that ends it.

    It starts at once and loads its libraries, which takes longer than the answers of a
    small model; its model is loaded when it is asked.

    Args:
        scratch: folder for its files.
        device: cpu hides the GPUs; with other values it chooses by itself.
    """

    def __init__(self, scratch: Path, device: str) -> None:
        self._scratch, self._out = scratch, scratch / "pyfunc"
        self._out.mkdir(parents=True)
        self._errors = scratch / "pyfunc.log"
        self._folder = Path()
        self._is_asked = False
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        kept["GRAFT_ROOT"] = kept.get("GRAFT_ROOT", str(Path.cwd()))
        if device == "cpu":
            kept["CUDA_VISIBLE_DEVICES"] = ""
        # It works beside this process; more threads than cores would slow both.
        kept.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) // 2)))
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                [sys.executable, "-P", PROGRAM, self._out.absolute()],
                cwd=scratch,
                env=kept,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                text=True,
            )

    def ask(
        self,
        folder: Path,
        chats: Sequence[Sequence[Message]],
        sequences: Sequence[Sequence[int]],
        starts: Sequence[int],
    ) -> None:
        """Let it answer, without waiting; the first call counts.

        Args:
            folder: of the registered version.
            chats: prompts; a single turn of the assistant is the beginning of a
                document, which is sent as a text.
            sequences: token ids along which it computes distributions.
            starts: place of the first predicted token in each.
        """
        if self._is_asked:
            return
        self._is_asked, self._folder = True, folder
        request = (self._scratch / "request.json").absolute()
        values = {
            "folder": str(folder.absolute()),
            "inputs": [_to_input(chat) for chat in chats],
            "sequences": sequences,
            "starts": starts,
        }
        io.write_json(request, values)
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{request}\n")
            self._process.stdin.flush()
        except BrokenPipeError:  # it has ended; `answers` says why
            pass

    def answers(self) -> WayAnswers:
        """Wait for the answers. Raises: ModelError if the process fails."""
        if self._process.wait():
            lines = self._errors.read_text("utf-8", "replace").strip().splitlines()
            shown = [line for line in lines if "Error" in line] or lines
            raise ModelError(str(self._folder), (shown or ["no message"])[-1])
        arrays = np.load(self._out / "logprobs.npz", allow_pickle=False)
        texts = json.loads((self._out / "texts.json").read_text("utf-8"))
        return WayAnswers(texts, [arrays[name] for name in arrays.files])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        assert self._process.stdin
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        self._process.wait()


def _to_input(chat: Sequence[Message]) -> Any:
    """What MLflow's model takes as one row."""
    if [turn["role"] for turn in chat] == ["assistant"]:
        return chat[0]["content"]
    return {"messages": [dict(turn) for turn in chat]}
