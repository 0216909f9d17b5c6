"""The configuration files for a user's data, with values that suit its size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

MOST_ROWS = 1_000_000
"""Rows are counted up to this number; for more, shares and epochs hardly change."""
HELD_OUT = {"validation": (0.05, 500), "test": (0.1, 1000)}
"""Largest share of a split, and number of rows that suffices. A share must not change
later, or rows move between splits."""
FEWEST_TOKENS, MOST_TOKENS, MOST_EPOCHS = 400_000, 4_000_000, 20
"""Tokens to train the small base on: two and twenty minutes on two cores."""
CHARS_PER_TOKEN, FRAME_TOKENS = 4, 10
"""Rough characters per token, and tokens of the prompt template per row."""


@dataclass(frozen=True)
class Size:
    """Rows of a source, at most MOST_ROWS, and mean characters of a row's fields."""

    rows: int
    chars: float

    @property
    def shown(self) -> str:
        """The number of rows as text."""
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
        step_tokens: tokens of an optimizer step.
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
split: # shares of the rows without an official split; a change moves rows
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
    """Epochs for between FEWEST_TOKENS and MOST_TOKENS in total, at most
    MOST_EPOCHS."""
    wanted = min(max(tokens, FEWEST_TOKENS), MOST_TOKENS)
    return float(f"{min(wanted / tokens, MOST_EPOCHS):.2g}")
