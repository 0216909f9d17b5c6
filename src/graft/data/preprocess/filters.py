"""Rules that drop an example, each a Polars expression over `turns.sides`."""

from dataclasses import dataclass, field

import polars as pl

from graft.config import PreprocessConfig

SIDES = ("user", "assistant")
"""Columns of `turns.sides` with the text of each side."""


def beginnings() -> pl.Expr:
    """The beginnings of both sides of a row, to show it by."""
    sides = (pl.col(side).fill_null("").str.slice(0, 55) for side in SIDES)
    return pl.concat_str(*sides, separator=" → ")


@dataclass(frozen=True)
class Rule:
    """Examples for which `drops` is true become rejects; null keeps them.

    `value` is the text that the reject shows of them.
    """

    reason: str
    drops: pl.Expr
    expected: str
    fix: str
    value: pl.Expr = field(default_factory=beginnings)


def rules(config: PreprocessConfig) -> list[Rule]:
    """The configured rules. The first that applies gives the reason."""
    user, assistant, shown = pl.col("user"), pl.col("assistant"), beginnings()
    chosen = [
        Rule(
            "too short",
            pl.col("shortest") < max(config.min_chars, 1),
            f"messages of at least {max(config.min_chars, 1)} characters once cleaned",
            "correct the row, or lower preprocess.min_chars",
        ),
        Rule(
            "too long",
            pl.col("longest") > config.max_chars,
            f"messages of at most {config.max_chars} characters",
            "split the text, or raise preprocess.max_chars",
            pl.format("{} characters: {}", pl.col("longest"), shown),
        ),
    ]
    if config.drop_identical:
        chosen.append(
            Rule(
                "identical sides",
                user == assistant,
                "an answer that differs from its prompt",
                "correct the row, or set preprocess.drop_identical to false",
            )
        )
    if config.max_length_ratio is not None:
        one, other = user.str.len_chars(), assistant.str.len_chars()
        ratio = pl.max_horizontal(one, other) / pl.min_horizontal(one, other)
        both = one.is_not_null() & other.is_not_null()
        chosen.append(
            Rule(
                "length ratio",
                both & (ratio > config.max_length_ratio),
                f"one side at most {config.max_length_ratio:g} times as long",
                "check that the sides belong together, or raise "
                "preprocess.max_length_ratio (null: off)",
                pl.format("{} times: {}", ratio.round(1), shown),
            )
        )
    return chosen
