"""A registered version whose files, base and template are those of its training."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from graft.config import ModelConfig, PromptConfig, QuantizationConfig
from graft.data.convert.task import Task
from graft.inference.results import Decoding
from graft.models.adapter_record import AdapterRecord, check_record, read_record
from graft.models.files import read_shape
from graft.prompts import Template, load_template
from graft.serving.base_folder import find_base
from graft.serving.integrity import check_adapter, check_base_tokenizer
from graft.tasks import get_task


@dataclass(frozen=True)
class BaseModel:
    """The base that versions share, as the engine loads it.

    Args:
        model: with a folder, or a Hub id, that exists here.
    """

    model: ModelConfig
    prompt: PromptConfig
    quantization: QuantizationConfig

    @property
    def limit(self) -> int | None:
        """Its longest sequence, in tokens; None: not known."""
        found: int | None = read_shape(self.model).get("max_position_embeddings")
        return found


@dataclass(frozen=True)
class CheckedVersion:
    """A version that passed all checks; no weights are loaded.

    Args:
        adapter: its folder.
        decoding: that of the evaluation.
    """

    adapter: Path
    base: BaseModel
    template: Template
    task: Task
    decoding: Decoding

    @property
    def is_full(self) -> bool:
        """Whether it is a model of its own, not an adapter."""
        return not (self.adapter / "adapter_config.json").is_file()


def check_version(
    adapter: Path, settings: Mapping[str, Any], base: BaseModel | None = None
) -> CheckedVersion:
    """Check what can be checked before weights are loaded: signature and files, then
    the base's tokenizer, the template, and the base.

    Args:
        adapter: folder in the registered model.
        settings: MLflow's model_config of the version.
        base: of the versions with which it shares one; by default its own.
    Raises: ModelError or TemplateError if one of them is missing, or is not that of
        training.
    """
    check_adapter(adapter, settings)
    record = read_record(adapter)
    base = base or _find_base(record)
    check_base_tokenizer(base.model, settings)
    template = load_template(base.model, base.prompt)
    check_record(record, adapter, base.model, template.hash)
    return CheckedVersion(
        adapter=adapter,
        base=base,
        template=template,
        task=get_task(record.params["task"]["name"]),
        decoding=Decoding(**settings["decoding"]),
    )


def read_settings(folder: Path) -> Mapping[str, Any]:
    """The settings that were stored with a registered version, in its folder."""
    described = yaml.safe_load((folder / "MLmodel").read_text("utf-8"))
    found: Mapping[str, Any] = described["flavors"]["python_function"]["config"]
    return found


def opens_documents(task: Task) -> bool:
    """Whether the prompts of a task are the beginnings of documents."""
    return not any(role == "user" for role, _ in task.turns or [("user", "")])


def _find_base(record: AdapterRecord) -> BaseModel:
    """The base of a version's record. Raises: ModelError if it is not found."""
    model = ModelConfig.model_validate(record.params["model"])
    path = find_base(model.path, model.revision)
    return BaseModel(
        model=model.model_copy(update={"path": path}),
        prompt=PromptConfig.model_validate(record.params["prompt"]),
        quantization=QuantizationConfig.model_validate(record.params["quantization"]),
    )
