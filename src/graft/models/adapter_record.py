"""graft.json beside an adapter: what it was trained on, and by which template."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from graft.config import ModelConfig
from graft.errors import ModelError, TemplateError
from graft.io import read_json

RECORD = "graft.json"
"""Beside PEFT's own files, in the folder of an adapter."""


@dataclass(frozen=True)
class AdapterRecord:
    """What the train stage writes beside an adapter.

    `params` is params.yaml as it was trained with, by section; `run_id` is its MLflow
    run, or null. `machine` says what trained it: device, memory_gib, seconds.
    """

    base_path: str
    base_revision: str
    template_hash: str
    run_id: str | None
    params: Mapping[str, Any]
    machine: Mapping[str, Any]


def read_record(adapter: Path) -> AdapterRecord:
    """Read an adapter's record. Raises: ModelError if it is missing or not whole."""
    path = adapter / RECORD
    if not path.is_file():
        raise ModelError(
            str(path),
            "no such file",
            expected="an adapter that the train stage made",
            fix="make it: dvc repro train, or fetch it: dvc pull models/adapter",
        )
    values = read_json(path)
    names = [field.name for field in fields(AdapterRecord)]
    if missing := [name for name in names if name not in values]:
        raise ModelError(
            str(path),
            f"misses {', '.join(missing)}",
            expected=f"a record with {', '.join(names)}",
            fix="make the adapter again: dvc repro -f train",
        )
    return AdapterRecord(**{name: values[name] for name in names})


def check_record(
    record: AdapterRecord, adapter: Path, model: ModelConfig, template_hash: str
) -> None:
    """An adapter is only right on the base and the prompts that it was trained with.

    Raises: ModelError or TemplateError saying which differs.
    """
    trained = f"{record.base_path}@{record.base_revision}"
    present = f"{model.path}@{model.revision}"
    if record.base_revision != model.revision:
        raise ModelError(
            str(adapter),
            f"the adapter was trained on {trained}, params.yaml names {present}",
            expected="the same base model",
            fix="train again: dvc repro train, or set model back",
        )
    if record.template_hash != template_hash:
        raise TemplateError(
            str(adapter),
            f"the adapter was trained with prompt template {record.template_hash}, "
            f"the present one is {template_hash}",
            expected="the same task.prompt and tokenizer in training and evaluation",
            fix="train again: dvc repro train, or set task.prompt back",
        )
