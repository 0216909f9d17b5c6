"""The learning rate as a function of the step."""

import math
from typing import Literal


def learning_rate(
    step: int,
    num_steps: int,
    peak: float,
    warmup_ratio: float,
    shape: Literal["cosine", "linear", "constant"],
) -> float:
    """The learning rate of a step, counted from 0: linear warmup to `peak`, then decay
    to 0 at `num_steps`, or a constant rate.

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983 (cosine, without restarts).
    """
    warmup = math.ceil(warmup_ratio * num_steps)
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if shape == "constant":
        return peak
    done = (step - warmup) / max(1, num_steps - warmup)
    if shape == "linear":
        return peak * (1 - done)
    return peak * (1 + math.cos(math.pi * done)) / 2
