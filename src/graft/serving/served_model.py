"""A registered version as requests see it, without its weights."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft.config import ModelConfig, PromptConfig, QuantizationConfig
from graft.data.convert.task import Task
from graft.inference.results import Decoding
from graft.models.adapter_record import AdapterRecord, check_record, read_record
from graft.models.files import read_shape
from graft.prompts import Template, load_template
from graft.serving.base_folder import find_base
from graft.serving.integrity import check_adapter, check_base_tokenizer
from graft.tasks import get_task
from graft.tracking.versions import ADAPTER, RegisteredVersion, Versions


@dataclass(frozen=True)
class ServedVersion:
    """What a request needs to know of a version.

    Args:
        name, version: of the registry.
        adapter: its name in the engine; None: the base alone, or a model of its own.
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
class BaseModel:
    """The base that versions share, as the engine loads it.

    Args:
        model: with a folder, or a Hub id, that exists here.
        limit: its longest sequence, in tokens; None: not known.
    """

    model: ModelConfig
    prompt: PromptConfig
    quantization: QuantizationConfig
    limit: int | None


def fetch_version(versions: Versions, version: RegisteredVersion, folder: Path) -> Path:
    """Copy a registered version to a folder of its own, once. Returns: the folder."""
    out = folder / re.sub(r"\W", "_", version.name) / version.version
    if (out / ADAPTER).is_dir():
        return out
    return versions.fetch_model(version, out)


def base_of(folder: Path) -> BaseModel:
    """The base of a version's record.

    Args:
        folder: of the registered version.
    Raises: ModelError if it is not found.
    """
    record = read_record(folder / ADAPTER)
    model = ModelConfig.model_validate(record.params["model"])
    path = find_base(model.path, model.revision)
    model = model.model_copy(update={"path": path})
    return BaseModel(
        model=model,
        prompt=PromptConfig.model_validate(record.params["prompt"]),
        quantization=QuantizationConfig.model_validate(record.params["quantization"]),
        limit=read_shape(model).get("max_position_embeddings"),
    )


def describe_version(
    version: RegisteredVersion, folder: Path, base: BaseModel
) -> ServedVersion:
    """A version that shares a base.

    Args:
        folder: of the registered version.
    Raises: ModelError or TemplateError if it was trained on another base or with
        another template, or its files are not those that were registered or signed.
    """
    adapter, settings = folder / ADAPTER, _settings(folder)
    check_adapter(adapter, settings)
    check_base_tokenizer(base.model, settings)
    record = read_record(adapter)
    template = load_template(base.model, base.prompt)
    check_record(record, adapter, base.model, template.hash)
    is_adapter = (adapter / "adapter_config.json").is_file()
    return ServedVersion(
        name=version.name,
        version=version.version,
        adapter=version.version if is_adapter else None,
        template=template,
        task=_task_of(record),
        decoding=Decoding(**settings["decoding"]),
        created_s=version.created_ms // 1000,
    )


def _task_of(record: AdapterRecord) -> Task:
    return get_task(record.params["task"]["name"])


def _settings(folder: Path) -> Mapping[str, Any]:
    """The settings that were stored with a registered version."""
    import yaml

    described = yaml.safe_load((folder / "MLmodel").read_text("utf-8"))
    found: Mapping[str, Any] = described["flavors"]["python_function"]["config"]
    return found
