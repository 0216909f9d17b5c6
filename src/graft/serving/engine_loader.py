"""Loading what the engine runs; called in the engine's process."""

from pathlib import Path

from graft.errors import ModelError
from graft.hardware.device import choose_device
from graft.inference.batching import ContinuousBatch
from graft.inference.families import is_supported, obstacle
from graft.prompts import Template, load_template
from graft.serving.served_model import BaseModel
from graft.training.base import load_base
from graft.training.full_finetuning import load_full_model


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
    chosen = choose_device(device, base.model, base.quantization)  # type: ignore[arg-type]
    if full is not None:
        model = load_full_model(full, chosen)
    else:
        model = load_base(base.model, base.quantization, chosen)
    if not is_supported(model):
        raise ModelError(
            str(full or base.model.path),
            f"cannot be served: {obstacle(model.config) or 'not on this device'}",
            expected="a model whose layers are attention over the whole prompt",
            fix="complete its prompts with the registered MLflow model instead",
        )
    template = load_template(base.model, base.prompt)
    return ContinuousBatch(model, num_slots, length), template
