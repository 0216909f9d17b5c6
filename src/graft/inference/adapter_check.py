"""Proof that the tuned model is the one that training measured."""

from collections.abc import Sequence
from typing import Any

from graft.errors import ModelError
from graft.inference.examples import HeldOutExample
from graft.inference.likelihood import count_trained_tokens, negative_log_likelihoods

ABSOLUTE, RELATIVE = 0.005, 0.03
"""Differences in nats per token that other devices, dtypes and kernels explain."""


def check_validation_loss(
    model: Any,
    adapter: str | None,
    examples: Sequence[HeldOutExample],
    trained_loss: float,
    where: str,
) -> float:
    """The validation loss of the tuned model as it generates, in nats per token.

    An adapter that is corrupted, set to zeros, not switched on or on another base has
    another loss than training measured with it.

    Args:
        model: holds the weights.
        adapter: the adapter that is on; None: the model is tuned as a whole.
        examples: the validation split.
        trained_loss: what training measured.
        where: the adapter, for the error.
    Raises: ModelError if the losses differ.
    """
    sequences = [(example.input_ids, example.loss_mask) for example in examples]
    total = sum(map(count_trained_tokens, sequences))
    loss = float(negative_log_likelihoods(model, sequences, adapter).sum()) / total
    # A loss that is NaN differs too.
    if not abs(loss - trained_loss) <= max(ABSOLUTE, RELATIVE * trained_loss):
        raise ModelError(
            where,
            f"its validation loss is {loss:.4f}, but training measured "
            f"{trained_loss:.4f}",
            expected="the weights, base and quantization that training measured",
            fix="fetch the adapter again: dvc pull models/adapter, or train it again: "
            "dvc repro -s -f train",
        )
    return loss
