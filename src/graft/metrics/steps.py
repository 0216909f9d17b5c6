"""Step accuracy and completeness of instructions.

These metrics are this project's own. Two steps match if the F1 of their lower-case
words is at least one half: a step may be paraphrased, but must name the same things.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from graft.metrics.answers import token_f1
from graft.metrics.statistics import Array, Metric, Segments, averaged, percent
from graft.metrics.words import to_words

ALIKE = 0.5
"""Smallest word F1 of two steps that match."""
MARK = re.compile(r"^\s*(?:step\s*)?(?:\d+\s*[.):．）：、]|[-*•・])\s*", re.IGNORECASE)


def to_steps(text: str) -> list[str]:
    """Non-empty lines as lower-case words, without number or bullet."""
    lines = (MARK.sub("", line) for line in text.splitlines())
    steps = (" ".join(to_words(line)) for line in lines)
    return [step for step in steps if step]


def match_matrix(steps: Sequence[str], gold: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which steps match, shape [steps, gold]."""
    found = [token_f1(step, other) >= ALIKE for step in steps for other in gold]
    return np.array(found, dtype=bool).reshape(len(steps), len(gold))


def step_accuracy(steps: Sequence[str], gold: Sequence[str]) -> float:
    """Share of positions with matching steps, over the longer list."""
    num_matches = float(np.diagonal(match_matrix(steps, gold)).sum())
    places = max(len(steps), len(gold))
    return num_matches / places if places else 1.0


def completeness(steps: Sequence[str], gold: Sequence[str]) -> float:
    """Share of the gold steps that occur in the same order.

    The longest common subsequence of matching steps: additional steps between them
    cost nothing, but a step out of order does.
    """
    longest = np.zeros((len(steps) + 1, len(gold) + 1))
    pairs = match_matrix(steps, gold)
    for row, column in np.ndindex(*pairs.shape):
        longest[row + 1, column + 1] = (
            longest[row, column] + 1
            if pairs[row, column]
            else max(longest[row, column + 1], longest[row + 1, column])
        )
    return float(longest[-1, -1]) / len(gold) if gold else 1.0


def score_best(
    segments: Segments,
    share: Callable[[Sequence[str], Sequence[str]], float],
    name: str,
) -> tuple[Array, str]:
    """Score of each completion against its best-matching reference."""
    found = [
        max(share(to_steps(completion), to_steps(text)) for text in references)
        for completion, references in segments.pairs()
    ]
    return averaged(found), f"{name}|step:line|alike:f1>={ALIKE}"


STEP_METRICS = [
    Metric(
        "step_accuracy",
        "Step accuracy, %",
        partial(score_best, share=step_accuracy, name="place"),
        percent,
    ),
    Metric(
        "completeness",
        "Completeness, %",
        partial(score_best, share=completeness, name="order"),
        percent,
    ),
]
