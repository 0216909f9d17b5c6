"""The files of configs/ for data of one's own, with values that suit their size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

MOST_ROWS = 1_000_000
"""Rows that are counted: shares and epochs are the same for more of them, about."""
HELD_OUT = {"validation": (0.05, 500), "test": (0.1, 1000)}
"""Largest share of a split, and rows that suffice; a share must not change later, or
rows move between splits."""
FEWEST_TOKENS, MOST_TOKENS, MOST_EPOCHS = 400_000, 4_000_000, 20
"""Of a training of the small base on two cores: two minutes, and twenty."""
CHARS_PER_TOKEN, FRAME_TOKENS = 4, 10
"""Rough sizes of a token, and of the prompt around a row."""


@dataclass(frozen=True)
class Size:
    """Rows of a source, MOST_ROWS at most, and characters of its fields in a row."""

    rows: int
    chars: float

    @property
    def shown(self) -> str:
        """The number of rows to read."""
        return f"{self.rows:,} rows" + " or more" * (self.rows >= MOST_ROWS)


def data_yaml(values: Mapping[str, Any]) -> str:
    """A file of configs/data."""
    text = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
    return (
        "# Written by graft add; base.yaml explains every key.\n"
        f"defaults: [base, _self_]\n{text}"
    )


def experiment_yaml(name: str, task: str, size: Size, step_tokens: int) -> str:
    """A file of configs/experiment.

    Args:
        step_tokens: of an optimizer step.
    """
    shares = {
        split: round(min(most, enough / size.rows), 4)
        for split, (most, enough) in HELD_OUT.items()
    }
    tokens = size.rows * (size.chars / CHARS_PER_TOKEN + FRAME_TOKENS)
    tokens *= 1 - sum(shares.values())
    epochs = to_epochs(tokens)
    steps = max(1, round(epochs * tokens / step_tokens))
    every = max(1, min(75, steps // 5))
    return f"""\
# @package _global_
# Written by graft add for {size.shown} of about {size.chars:.0f} characters.
defaults:
  - override /data: {name}
  - override /task: {task}
split: # shares of the rows that have no official split; unchanged, no row ever moves
  validation: {shares["validation"]}
  test: {shares["test"]}
train: # for the small base on a CPU: about {steps:,} steps
  epochs: {epochs}
  evaluate_every: {every}
evaluate:
  max_examples: 1000
registry:
  name: graft-{name}
"""


def to_epochs(tokens: float) -> float:
    """So many that a small source is trained on enough, and a large one ends."""
    wanted = min(max(tokens, FEWEST_TOKENS), MOST_TOKENS)
    return float(f"{min(wanted / tokens, MOST_EPOCHS):.2g}")
