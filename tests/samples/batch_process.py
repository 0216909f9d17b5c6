"""A batch of the repository's tiny base in a process of its own.

python tests/samples/batch_process.py IN OUT: prints `begun` when the model is loaded.
"""

import sys
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


def main(source: Path, out: Path) -> None:
    """Complete a file; with temperature 1, so that seeds matter."""
    batch = to_run(
        source,
        out,
        load,
        sampling={"temperature": 1.0},
        seed=1,
        shard_rows=4,
        restart=False,
    )
    print("begun", flush=True)
    batch.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
