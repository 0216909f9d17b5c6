"""Whether a training has gone wrong, by its curve."""

import statistics
from collections.abc import Mapping, Sequence

_BEFORE, _LAST = 20, 3  # logged losses


def has_diverged(history: Sequence[Mapping[str, float]], ratio: float) -> bool:
    """Whether the last three logged training losses are all above so many times the
    median of the twenty before, and above that median by a nat.

    One hard batch is no explosion, and what has only begun has no median: below five
    losses before them the last three say nothing.
    """
    wanted = (_BEFORE + _LAST) * 2  # validation stands between
    losses = [h["train/loss"] for h in history[-wanted:] if "train/loss" in h]
    before, last = losses[:-_LAST][-_BEFORE:], losses[-_LAST:]
    if len(before) < 5:
        return False
    usual = statistics.median(before)
    return all(loss > max(ratio * usual, usual + 1) for loss in last)
