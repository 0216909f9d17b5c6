"""Steps of an instruction: each at its place, and none left out.

The measures are this project's own. Two steps are alike if the F1 of their words, in
lower case, is at least a half: a step may be said in other words, but must name the
same things.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from graft.metrics.answers import token_f1
from graft.metrics.statistics import Array, Metric, Segments, averaged, percent
from graft.metrics.words import to_words

ALIKE = 0.5
"""Smallest word F1 of two steps that are taken for the same."""
MARK = re.compile(r"^\s*(?:step\s*)?(?:\d+\s*[.):．）：、]|[-*•・])\s*", re.IGNORECASE)


def to_steps(text: str) -> list[str]:
    """Lines that say something, as words in lower case, without number or bullet."""
    lines = (MARK.sub("", line) for line in text.splitlines())
    steps = (" ".join(to_words(line)) for line in lines)
    return [step for step in steps if step]


def alike(steps: Sequence[str], gold: Sequence[str]) -> Any:
    """Which steps are alike, shape [steps, gold]."""
    shape = (len(steps), len(gold))
    found = [token_f1(step, other) >= ALIKE for step in steps for other in gold]
    return np.array(found, dtype=bool).reshape(shape)


def at_place(steps: Sequence[str], gold: Sequence[str]) -> float:
    """Share of places, of whichever has more, at which both have a like step."""
    places = max(len(steps), len(gold))
    return float(np.diagonal(alike(steps, gold)).sum()) / places if places else 1.0


def in_order(steps: Sequence[str], gold: Sequence[str]) -> float:
    """Share of the gold steps that are there in the same order.

    Coherent steps only: the longest common subsequence of like steps, so that steps
    between them cost nothing and a step out of turn does.
    """
    longest = np.zeros((len(steps) + 1, len(gold) + 1))
    pairs = alike(steps, gold)
    for row, column in np.ndindex(*pairs.shape):
        longest[row + 1, column + 1] = (
            longest[row, column] + 1
            if pairs[row, column]
            else max(longest[row, column + 1], longest[row + 1, column])
        )
    return float(longest[-1, -1]) / len(gold) if gold else 1.0


def best(
    segments: Segments,
    share: Callable[[Sequence[str], Sequence[str]], float],
    name: str,
) -> tuple[Array, str]:
    """Share of the reference that suits the completion best, of each segment.

    Returns: statistics of a mean, shape [segments, 2], and how they were counted.
    """
    rows = zip(segments.completions, segments.references, strict=True)
    found = [
        max(share(to_steps(said), to_steps(text)) for text in references)
        for said, references in rows
    ]
    return averaged(found), f"{name}|step:line|alike:f1>={ALIKE}"


STEP_METRICS = [
    Metric(
        "step_accuracy",
        "Step accuracy, %",
        partial(best, share=at_place, name="place"),
        percent,
    ),
    Metric(
        "completeness",
        "Completeness, %",
        partial(best, share=in_order, name="order"),
        percent,
    ),
]
