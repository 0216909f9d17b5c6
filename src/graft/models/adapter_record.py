"""graft.json of an adapter: the base, prompt template and parameters of training."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from graft.config import ModelConfig
from graft.errors import ModelError, TemplateError
from graft.io import digest_files, read_json

RECORD = "graft.json"
"""File name in the folder of an adapter, next to PEFT's own files."""


@dataclass(frozen=True)
class AdapterRecord:
    """What the train stage records about an adapter.

    `params` are the parameters of training, by section; `run_id` is the MLflow run, or
    null. `machine` has the keys device, memory_gib and seconds.
    """

    base_path: str
    base_revision: str
    template_hash: str
    run_id: str | None
    params: Mapping[str, Any]
    machine: Mapping[str, Any]


def read_record(adapter: Path) -> AdapterRecord:
    """Read an adapter's record. Raises: ModelError if it is missing or incomplete."""
    path = adapter / RECORD
    if not path.is_file():
        raise ModelError(
            str(path),
            "no such file",
            expected="an adapter that the train stage made",
            fix="train it: dvc repro train, or download it: dvc pull models/adapter",
        )
    values = read_json(path)
    names = [field.name for field in fields(AdapterRecord)]
    if missing := [name for name in names if name not in values]:
        raise ModelError(
            str(path),
            f"lacks {', '.join(missing)}",
            expected=f"a record with {', '.join(names)}",
            fix="train the adapter again: dvc repro -s -f train",
        )
    return AdapterRecord(**{name: values[name] for name in names})


def weights_digest(adapter: Path) -> str:
    """Digest of the weights of an adapter, or of a fully fine-tuned model."""
    return digest_files(adapter, ["*.safetensors"])


def check_record(
    record: AdapterRecord, adapter: Path, model: ModelConfig, template_hash: str
) -> None:
    """Check that base model and prompt template are those of training.

    Raises: ModelError or TemplateError if one of them differs.
    """
    trained = f"{record.base_path}@{record.base_revision}"
    current = f"{model.path}@{model.revision}"
    if record.base_revision != model.revision:
        raise ModelError(
            str(adapter),
            f"the adapter was trained on {trained}, but params.yaml has {current}",
            expected="the same base model",
            fix="train again: dvc repro train, or set model back",
        )
    if record.template_hash != template_hash:
        raise TemplateError(
            str(adapter),
            f"the adapter was trained with prompt template {record.template_hash}, "
            f"but the current one is {template_hash}",
            expected="the same prompt and tokenizer in training and evaluation",
            fix="train again: dvc repro train, or set prompt back",
        )
