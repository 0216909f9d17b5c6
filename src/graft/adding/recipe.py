"""The configuration files for a user's data, with values that depend on its size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

MOST_ROWS = 1_000_000
"""Rows are counted up to this number; above it, the values hardly change."""
HELD_OUT = {"validation": (0.05, 500), "test": (0.1, 1000)}
"""Split → its maximum share of the rows, and the number of rows that is sufficient. A
share must not change later, since rows would then move between splits."""
FEWEST_TOKENS, MOST_TOKENS, MOST_EPOCHS = 400_000, 4_000_000, 20
"""Minimum and maximum number of tokens to train on, and maximum number of epochs. The
small base model needs two and twenty minutes for them on two CPU cores."""
CHARS_PER_TOKEN, FRAME_TOKENS = 4, 10
"""Approximate characters per token, and tokens of the prompt template per row."""


@dataclass(frozen=True)
class Size:
    """Size of a source.

    Attributes:
        rows: number of rows, counted up to about MOST_ROWS.
        chars: mean number of characters of a row's fields.
    """

    rows: int
    chars: float

    @property
    def shown(self) -> str:
        """The number of rows as text."""
        return f"{self.rows:,} rows" + " or more" * (self.rows >= MOST_ROWS)


def data_yaml(values: Mapping[str, Any]) -> str:
    """The content of a file in configs/data."""
    text = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
    return (
        "# Written by graft add; base.yaml explains all keys.\n"
        f"defaults: [base, _self_]\n{text}"
    )


def experiment_yaml(name: str, task: str, size: Size, step_tokens: int) -> str:
    """The content of a file in configs/experiment.

    Args:
        name: file in configs/data.
        task: file in configs/task.
        size: size of the source.
        step_tokens: number of tokens of an optimizer step.
    """
    shares = {
        split: round(min(max_share, num_rows / size.rows), 4)
        for split, (max_share, num_rows) in HELD_OUT.items()
    }
    tokens = size.rows * (size.chars / CHARS_PER_TOKEN + FRAME_TOKENS)
    tokens *= 1 - sum(shares.values())
    epochs = to_epochs(tokens)
    steps = max(1, round(epochs * tokens / step_tokens))
    evaluate_every = max(1, min(75, steps // 5))
    return f"""\
# @package _global_
# Written by graft add for {size.shown} of about {size.chars:.0f} characters each.
defaults:
  - override /data: {name}
  - override /task: {task}
split: # shares of rows without an official split; a change moves rows between splits
  validation: {shares["validation"]}
  test: {shares["test"]}
train: # suits the small base model on a CPU: about {steps:,} steps
  epochs: {epochs}
  evaluate_every: {evaluate_every}
generation:
  max_examples: 1000
registry:
  name: graft-{name}
"""


def to_epochs(tokens: float) -> float:
    """Number of epochs, at most MOST_EPOCHS, in which training sees between
    FEWEST_TOKENS and MOST_TOKENS.

    Args:
        tokens: number of tokens in the train split.
    """
    total = min(max(tokens, FEWEST_TOKENS), MOST_TOKENS)
    return float(f"{min(total / tokens, MOST_EPOCHS):.2g}")
