"""The errors that end a training, and what to do about them."""

from collections.abc import Sequence

from graft.config import TrainConfig
from graft.errors import HardwareError, ModelError


def out_of_memory_error(config: TrainConfig, device: str) -> HardwareError:
    """The error for a training step that does not fit into memory."""
    smaller = (
        f"train.micro_batch_size={config.micro_batch_size // 2}"
        if config.micro_batch_size > 1
        else "a smaller tokenize.max_seq_len"
    )
    is_on = config.gradient_checkpointing
    checkpointing = "" if is_on else "train.gradient_checkpointing=true, or "
    return HardwareError(
        device,
        f"out of memory with train.micro_batch_size={config.micro_batch_size}",
        fix=f"set {checkpointing}{smaller}; the last checkpoint has the training so "
        "far",
    )


def divergence_error(
    where: str, problem: str, steps: Sequence[int], examples: Sequence[str] = ()
) -> ModelError:
    """The error for a loss that is NaN or infinite, or that has diverged.

    Args:
        where: the step.
        problem: the symptom.
        steps: of the checkpoints.
        examples: ids of the step's examples.
    """
    shown = ", ".join(examples[:8]) + "…" * (len(examples) > 8)
    return ModelError(
        where,
        problem + f"; examples of this step: {shown}" * bool(examples),
        expected="a finite loss that falls",
        fix="lower train.learning_rate or train.max_grad_norm, or inspect the "
        f"examples; last good checkpoint: step {steps[-1] if steps else 'none'}",
    )
