"""Loading what the engine runs, in the process that runs it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graft.errors import ModelError
from graft.hardware.device import choose_device
from graft.inference.adapters import active_adapter
from graft.inference.batching import ContinuousBatch
from graft.inference.families import is_supported, obstacle
from graft.prompts import Template, load_template
from graft.serving.checked_version import BaseModel
from graft.serving.registry_source import RegistrySource
from graft.serving.served_model import ServedVersion
from graft.training.base import load_base
from graft.training.full_finetuning import load_full_model
from graft.training.tuning import load_served


@dataclass(frozen=True)
class LoadedModel:
    """A version alone in memory, for work that ends.

    Args:
        length: most tokens of a prompt with its completion.
    """

    model: Any
    version: ServedVersion
    length: int


def load_version(source: RegistrySource, device: str, most_tokens: int) -> LoadedModel:
    """The first version of a source, in this process.

    Raises: as `load_engine`.
    """
    base, version = source.base, source.first
    chosen = _device(base, device)
    model = load_served(base.model, base.quantization, chosen, source.adapter)
    _check_supported(model, version.id)
    version = replace(version, adapter=active_adapter(model))
    return LoadedModel(model, version, min(most_tokens, base.limit or most_tokens))


def load_engine(
    base: BaseModel, device: str, num_slots: int, length: int, full: Path | None
) -> tuple[ContinuousBatch, Template]:
    """A batch of the base, to which adapters are added, and what decodes its tokens.

    Args:
        device: auto, cpu or cuda.
        num_slots: rows at once, at most.
        length: most tokens of a prompt with its completion.
        full: the folder of a fully fine-tuned model, which takes the base's place.
    Raises: ModelError if the model is missing, changed, or cannot be served.
    """
    chosen = _device(base, device)
    if full is not None:
        model = load_full_model(full, chosen)
    else:
        model = load_base(base.model, base.quantization, chosen)
    _check_supported(model, str(full or base.model.path))
    template = load_template(base.model, base.prompt)
    return ContinuousBatch(model, num_slots, length), template


def _device(base: BaseModel, wanted: str) -> str:
    return choose_device(wanted, base.model, base.quantization)  # type: ignore[arg-type]


def _check_supported(model: Any, where: str) -> None:
    if not is_supported(model):
        raise ModelError(
            where,
            f"cannot be served: {obstacle(model.config) or 'not on this device'}",
            expected="a model whose layers are attention over the whole prompt",
            fix="complete its prompts with the registered MLflow model instead",
        )
