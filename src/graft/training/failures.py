"""Divergence, and the errors that end a training."""

import statistics
from collections.abc import Mapping, Sequence

from graft.config import TrainConfig
from graft.errors import HardwareError, ModelError

_BEFORE, _LAST = 20, 3  # logged losses


def has_diverged(history: Sequence[Mapping[str, float]], ratio: float) -> bool:
    """Whether the last three logged training losses all exceed the median of the twenty
    before by a factor of `ratio`, and by one nat.

    A single hard batch is not divergence. With fewer than five losses before the last
    three, the result is False.
    """
    wanted = (_BEFORE + _LAST) * 2  # validation entries are in between
    losses = [h["train/loss"] for h in history[-wanted:] if "train/loss" in h]
    before, last = losses[:-_LAST][-_BEFORE:], losses[-_LAST:]
    if len(before) < 5:
        return False
    median = statistics.median(before)
    return all(loss > max(ratio * median, median + 1) for loss in last)


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
