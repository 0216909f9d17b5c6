"""The section `split`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from graft.config.section import Count, Fraction, Positive, Section, Seed


class LeakageConfig(Section):
    """Which train rows leak held-out data, by shared word n-grams.

    Held-out texts are the prompts of examples (for plain completion the answers), with
    `answers` also their answers, and all texts in the rows of benchmarks. A train row
    leaks if it contains a share of `threshold` of a text's n-grams; n-grams in more
    than `max_common` groups do not count. `benchmarks` are files: .jsonl, .parquet, or
    text with one example per line.
    """

    policy: Literal["drop", "fail", "report"]
    n: Annotated[int, Field(ge=2, le=50)]
    threshold: Annotated[float, Field(gt=0, le=1)]
    max_common: Annotated[int, Field(ge=1, le=100)]
    answers: bool
    benchmarks: list[Path]
    max_leaked: Count
    num_shown: Positive


class SplitConfig(Section):
    """Shares of examples without an official split, and the leakage check.

    With `leakage: null` nothing is compared.
    """

    validation: Fraction
    test: Fraction
    seed: Seed
    leakage: LeakageConfig | None

    @model_validator(mode="after")
    def _leaves_a_train_split(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation + test must be below 1")
        return self
