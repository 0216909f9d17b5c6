"""The section that the stage split reads."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from graft.config.section import Count, Fraction, Positive, Section, Seed


class LeakageConfig(Section):
    """What of train is too like what is held out, by shared n-grams of words.

    A held-out text is an example's prompt (plain completion has only an answer), with
    `answers` also its answer, and each text of a benchmark's row. A train row leaks
    that has `threshold` of its n-grams; those of more than `max_common` groups do not
    count. `benchmarks` are files: .jsonl, .parquet, or text with a line an example.
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
    """Shares of examples that have no official split, and what leaks between them.

    Without `leakage` nothing is compared.
    """

    validation: Fraction
    test: Fraction
    seed: Seed
    leakage: LeakageConfig | None

    @model_validator(mode="after")
    def _leaves_a_train_split(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation + test must be under 1")
        return self
