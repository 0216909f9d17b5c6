"""Whether a training has learned anything, by its losses."""

import statistics
import sys
from collections.abc import Mapping, Sequence

from graft.errors import ModelError
from graft.training.checkpoints import Progress

_WINDOW = 5  # logged losses at each end, at most


def loss_trend(history: Sequence[Mapping[str, float]]) -> tuple[float, float, bool]:
    """Training loss at the beginning and at the end, and whether it rose surely.

    Means of the first and the last few logged losses. It rose surely if the end is
    higher by more than two standard errors; a loss that moves within them says nothing.
    Of fewer than four losses nothing is said: both are NaN.
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
    """Hold the losses of a whole training against those that it began with.

    Args:
        progress: at the end.
        must_learn: whether nothing learned is an error; else it is a warning.
    Raises: ModelError if validation loss was never lower than before the first step, or
        if training loss surely rose.
    """
    initial, best = progress.initial_loss, progress.best_loss
    begin, end, surely = loss_trend(progress.history)
    problem = ""
    if initial is not None and not best < initial:
        problem = (
            f"validation loss is {best:.4f} at its lowest; before the first step it "
            f"was {initial:.4f}"
        )
    elif surely:
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
        "more steps. If this is meant, set train.must_learn=false",
    )
