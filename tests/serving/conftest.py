"""The API of the repository's tiny base model, on a real server in a thread."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from api_server import Running, running

from graft.config import ModelConfig, PromptConfig, ServingConfig
from graft.inference.generation import complete
from graft.inference.results import Decoding
from graft.prompts import load_template
from graft.serving.served_model import LoadedModel, ServedVersion
from graft.tasks import get_task

PARAMS = yaml.safe_load(Path("params.yaml").read_text("utf-8"))


def load_base() -> Any:
    """The tiny base in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    path = PARAMS["model"]["path"]
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


@pytest.fixture(scope="session")
def loaded() -> LoadedModel:
    """The tiny base without an adapter."""
    model = ModelConfig.model_validate(PARAMS["model"])
    version = ServedVersion(
        name="translator",
        version="3",
        adapter=None,
        template=load_template(model, PromptConfig.model_validate(PARAMS["prompt"])),
        task=get_task("translation"),
        decoding=Decoding(max_new_tokens=24),
        created_s=1_700_000_000,
    )
    return LoadedModel(load_base(), version, length=512)


@pytest.fixture(scope="session")
def offline(loaded: LoadedModel) -> Callable[..., str]:
    """What evaluation generates for a user turn, with another copy of the model."""
    model, template = load_base(), loaded.version.template

    def answer(text: str, **changes: Any) -> str:
        decoding = replace(loaded.version.decoding, **changes)
        ids = template.encode_prompt([{"role": "user", "content": text}])
        return complete(model, template, [ids], decoding).texts[0]

    return answer


@pytest.fixture(scope="session")
def serving() -> ServingConfig:
    return ServingConfig.model_validate({**PARAMS["serving"], "port": 0, "slots": 8})


@pytest.fixture(scope="module")
def api(loaded: LoadedModel, serving: ServingConfig) -> Iterator[Running]:
    """A server without keys, with the limits of the configuration."""
    with running(loaded, serving) as found:
        yield found
