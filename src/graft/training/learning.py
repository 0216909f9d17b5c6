"""Check by the losses that a training has learned something."""

import statistics
import sys
from collections.abc import Mapping, Sequence

from graft.errors import ModelError
from graft.training.checkpoints import Progress

_WINDOW = 5  # logged losses at each end, at most


def loss_trend(history: Sequence[Mapping[str, float]]) -> tuple[float, float, bool]:
    """Training loss at the beginning and the end, and whether it rose significantly.

    Both are means of a few logged losses, in nats. The rise is significant if it is
    more than two standard errors. With fewer than four losses both are NaN.
    """
    losses = [line["train/loss"] for line in history if "train/loss" in line]
    size = min(_WINDOW, len(losses) // 2)
    if size < 2:
        return float("nan"), float("nan"), False
    first, last = losses[:size], losses[-size:]
    begin, end = statistics.fmean(first), statistics.fmean(last)
    spread = statistics.variance(first) + statistics.variance(last)
    return begin, end, end - begin > 2 * (spread / size) ** 0.5


def require_learning(progress: Progress, must_learn: bool) -> None:
    """Compare the losses of a finished training with those at its beginning.

    Args:
        progress: at the end.
        must_learn: raise an error if nothing was learned; else print a warning.
    Raises: ModelError if validation loss was never below that before the first step,
        or if training loss rose significantly.
    """
    initial, best = progress.initial_loss, progress.best_loss
    begin, end, is_significant = loss_trend(progress.history)
    problem = ""
    if initial is not None and not best < initial:
        problem = (
            f"validation loss is {best:.4f} at its lowest; before the first step it "
            f"was {initial:.4f}"
        )
    elif is_significant:
        problem = f"training loss rose from {begin:.3f} to {end:.3f}"
    if problem and must_learn:
        raise _nothing_learned(problem)
    if not problem and end > begin:
        problem = f"training loss ended at {end:.3f}, above {begin:.3f} where it began"
    if problem:
        print(f"warning: {problem}", file=sys.stderr)


def _nothing_learned(problem: str) -> ModelError:
    return ModelError(
        "train",
        f"nothing was learned: {problem}",
        expected="losses below those that training began with",
        fix="look at curves/ and at the examples; try another train.learning_rate or "
        "more steps. If this is intended, set train.must_learn=false",
    )
