"""The repository's tiny base as a served version, without an adapter."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from graft.config import ModelConfig, PromptConfig, ServingConfig
from graft.inference.results import Decoding
from graft.prompts import load_template
from graft.serving.engine_loader import LoadedModel
from graft.serving.served_model import ServedVersion
from graft.tasks import get_task

PARAMS = yaml.safe_load(Path("params.yaml").read_text("utf-8"))


def load_base() -> Any:
    """The tiny base in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    path = PARAMS["model"]["path"]
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)


def served_version() -> ServedVersion:
    """Version 3 of the model `translator`, without an adapter."""
    model = ModelConfig.model_validate(PARAMS["model"])
    return ServedVersion(
        name="translator",
        version="3",
        adapter=None,
        template=load_template(model, PromptConfig.model_validate(PARAMS["prompt"])),
        task=get_task("translation"),
        decoding=Decoding(max_new_tokens=24),
        created_s=1_700_000_000,
    )


def load_served() -> LoadedModel:
    """The tiny base as version 3 of the model `translator`."""
    return LoadedModel(load_base(), served_version(), length=512)


def load_without_weights() -> LoadedModel:
    """The same version, for an engine without a model."""
    return LoadedModel(None, served_version(), length=512)


def serving_config(**changes: Any) -> ServingConfig:
    """The configuration of the repository, on a free port."""
    values = {**PARAMS["serving"], "port": 0, "slots": 8, **changes}
    return ServingConfig.model_validate(values)


@dataclass
class OneVersion:
    """A registry whose alias `champion` is always the same version."""

    version: ServedVersion

    def held(self) -> Mapping[str, str]:
        return {"champion": self.version.version}

    def fetch(self, version: str) -> tuple[ServedVersion, Path]:
        assert version == self.version.version
        return self.version, Path()
