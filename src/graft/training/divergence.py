"""Detecting divergence in the training loss."""

import statistics
from collections.abc import Mapping, Sequence

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
