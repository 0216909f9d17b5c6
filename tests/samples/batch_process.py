"""A batch of the repository's tiny base in a process of its own.

The model is loaded once; each run is a fork that may be killed.
"""

import math
import os
import signal
import sys
import time
import traceback
from pathlib import Path

import torch
import yaml
from transformers import AutoModelForCausalLM

from graft.config import ModelConfig, PromptConfig
from graft.inference.results import Decoding
from graft.prompts import load_template
from graft.serving.batch.local import LocalModel
from graft.serving.batch.start import Engine, to_run
from graft.serving.engine_loader import LoadedModel
from graft.serving.served_model import ServedVersion
from graft.tasks import get_task


def load() -> Engine:
    """The tiny base without an adapter; rows end at 16 tokens."""
    params = yaml.safe_load(Path("params.yaml").read_text("utf-8"))
    config = ModelConfig.model_validate(params["model"])
    task = get_task("translation")
    version = ServedVersion(
        name="translator",
        version="3",
        adapter=None,
        template=load_template(config, PromptConfig.model_validate(params["prompt"])),
        task=task,
        decoding=Decoding(max_new_tokens=16),
        created_s=0,
    )
    model = AutoModelForCausalLM.from_pretrained(config.path, dtype=torch.float32)
    local = LocalModel(LoadedModel(model, version, length=256), "none", slots=4)
    return Engine(local, version.id, lambda: task)


def run(source: Path, out: Path, engine: Engine) -> None:
    """Complete a file; with temperature 1, so that seeds matter."""
    options = {"sampling": {"temperature": 1.0}, "seed": 1, "shard_rows": 4}
    to_run(source, out, lambda: engine, restart=False, **options).run()


def run_killed(source: Path, out: Path, engine: Engine, seconds: float) -> int:
    """Complete a file in a process that is killed after some seconds; its exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            run(source, out, engine)
            os._exit(0)
        except BaseException:  # pylint: disable=broad-exception-caught
            traceback.print_exc()
            os._exit(1)
    end = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            end = math.inf
        time.sleep(0.001)


def main() -> None:
    """Run each line of stdin, `IN OUT SECONDS`, and print exit code and seconds."""
    torch.set_num_threads(1)  # threads do not survive a fork
    engine = load()
    for line in sys.stdin:
        source, out, seconds = line.split()
        before = time.monotonic()
        code = run_killed(Path(source), Path(out), engine, float(seconds))
        print(code, time.monotonic() - before, flush=True)


if __name__ == "__main__":
    main()
