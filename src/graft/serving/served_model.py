"""The registered version that answers: its model, template, task and decoding."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft.config import ModelConfig, PromptConfig, QuantizationConfig, ServingConfig
from graft.data.convert.task import Task
from graft.errors import ModelError
from graft.hardware.device import choose_device
from graft.inference.adapters import active_adapter
from graft.inference.families import is_supported, obstacle
from graft.inference.results import Decoding
from graft.models.adapter_record import check_record, read_record
from graft.prompts import Template, load_template
from graft.tasks import get_task
from graft.tracking.versions import ADAPTER, RegisteredVersion, Versions


@dataclass(frozen=True)
class ServedVersion:
    """A version as requests see it.

    Args:
        name, version: of the registry.
        adapter: its name in the loaded model; None: a model of its own.
        created_s: seconds since 1970, UTC.
    """

    name: str
    version: str
    adapter: str | None
    template: Template
    task: Task
    decoding: Decoding
    created_s: int

    @property
    def id(self) -> str:
        """`NAME/VERSION`, the name of a model in the API."""
        return f"{self.name}/{self.version}"

    @property
    def opens_documents(self) -> bool:
        """Whether prompts are the beginnings of documents."""
        return not any(role == "user" for role, _ in self.task.turns or [("user", "")])


@dataclass(frozen=True)
class LoadedModel:
    """A base in memory with the adapter of a version.

    Args:
        length: most tokens of a prompt with its completion.
    """

    model: Any
    version: ServedVersion
    length: int


def fetch_version(
    versions: Versions, reference: str, folder: Path
) -> tuple[RegisteredVersion, Path]:
    """Copy a registered version to a folder of its own, once.

    Args:
        reference: as `Versions.find` takes it.
    Returns: the version, and its folder.
    """
    version = versions.find(reference)
    out = folder / re.sub(r"\W", "_", version.name) / version.version
    if not (out / ADAPTER).is_dir():
        return version, versions.fetch_model(version, out)
    return version, out


def load_model(
    version: RegisteredVersion, folder: Path, serving: ServingConfig
) -> LoadedModel:
    """Load the base of a version's record, and the adapter.

    Raises: ModelError if the base is missing, differs from that of training, or cannot
        be served; TemplateError if the template differs.
    """
    from graft.serving.pyfunc import find_base
    from graft.training.tuning import load_served

    adapter = folder / ADAPTER
    record = read_record(adapter)
    model = ModelConfig.model_validate(record.params["model"])
    model = model.model_copy(update={"path": find_base(model.path, model.revision)})
    quantization = QuantizationConfig.model_validate(record.params["quantization"])
    template = load_template(
        model, PromptConfig.model_validate(record.params["prompt"])
    )
    check_record(record, adapter, model, template.hash)
    device = choose_device(serving.device, model, quantization)
    loaded = load_served(model, quantization, device, adapter)
    if not is_supported(loaded):
        raise ModelError(
            version.address,
            f"cannot be served: {obstacle(loaded.config) or 'not on this device'}",
            expected="a model whose layers are attention over the whole prompt",
            fix="complete its prompts with graft.serving.pyfunc (MLflow) instead",
        )
    served = ServedVersion(
        name=version.name,
        version=version.version,
        adapter=active_adapter(loaded),
        template=template,
        task=get_task(record.params["task"]["name"]),
        decoding=Decoding(**_settings(folder)["decoding"]),
        created_s=version.created_ms // 1000,
    )
    limit = getattr(loaded.config, "max_position_embeddings", None)
    length = min(limit or serving.max_context_tokens, serving.max_context_tokens)
    return LoadedModel(loaded, served, length)


def _settings(folder: Path) -> Mapping[str, Any]:
    """The settings that were stored with a registered version."""
    import yaml

    described = yaml.safe_load((folder / "MLmodel").read_text("utf-8"))
    found: Mapping[str, Any] = described["flavors"]["python_function"]["config"]
    return found
