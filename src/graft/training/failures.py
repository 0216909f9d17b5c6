"""What can end a training, and what to do then."""

from collections.abc import Sequence

from graft.config import TrainConfig
from graft.errors import HardwareError, ModelError


def out_of_memory_error(config: TrainConfig, device: str) -> HardwareError:
    """A step does not fit."""
    smaller = (
        f"train.micro_batch_size={config.micro_batch_size // 2}"
        if config.micro_batch_size > 1
        else "a smaller tokenize.max_seq_len"
    )
    spared = config.gradient_checkpointing
    checkpointing = "" if spared else "train.gradient_checkpointing=true, or "
    return HardwareError(
        device,
        f"out of memory with train.micro_batch_size={config.micro_batch_size}",
        fix=f"set {checkpointing}{smaller}; what was trained so far is in the last "
        "checkpoint",
    )


def divergence_error(
    where: str, problem: str, steps: Sequence[int], examples: Sequence[str] = ()
) -> ModelError:
    """The loss is no number, or has gone up for good.

    Args:
        where: the step.
        problem: what is seen there.
        steps: of the checkpoints.
        examples: ids of what the step learned from.
    """
    shown = ", ".join(examples[:8]) + "…" * (len(examples) > 8)
    return ModelError(
        where,
        problem + f"; examples of this step: {shown}" * bool(examples),
        expected="a finite loss that falls",
        fix="lower train.learning_rate or train.max_grad_norm, or look at the "
        f"examples; last good checkpoint: step {steps[-1] if steps else 'none'}",
    )
