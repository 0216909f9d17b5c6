"""The contract that every example keeps after `preprocess`: expressions over columns.

A check is a Polars expression, so the contract runs at the speed of the columns.
(pandera says the same with a schema class; importing it takes 1.4 s, this none.)
"""

from dataclasses import dataclass

import polars as pl

from graft.records import ORDER, ORDER_SHOWN, SPLITS


@dataclass(frozen=True)
class Check:
    """One clause. `broken` holds for the examples at fault, `value` shows why."""

    name: str
    broken: pl.Expr
    value: pl.Expr
    expected: str


def _blank(column: str) -> Check:
    return Check(
        f"no {column}",
        pl.col(column).is_null() | (pl.col(column).str.strip_chars() == ""),
        pl.col(column).fill_null("null"),
        f"a non-empty {column}",
    )


CHECKS = (
    _blank("id"),
    _blank("group"),
    _blank("stratum"),
    Check(
        "no place",
        ~pl.col("where").str.contains(r".:\d+$"),
        pl.col("where"),
        "file:row",
    ),
    Check(
        "unknown split",
        ~pl.col("split").fill_null("train").is_in(SPLITS),
        pl.col("split"),
        f"{', '.join(SPLITS)} or null",
    ),
    Check(
        "turns out of order",
        ~pl.col("roles").str.contains(ORDER),
        pl.col("roles"),
        ORDER_SHOWN,
    ),
    Check(
        "blank message",
        pl.col("blank"),
        pl.col("roles"),
        "text in every message",
    ),
)


def with_turns(batch: pl.DataFrame, turns: pl.DataFrame) -> pl.DataFrame:
    """A batch with what the checks need of its turns: `roles` and `blank`."""
    blank = pl.col("content").fill_null("").str.strip_chars() == ""
    said = turns.group_by("row", maintain_order=True).agg(
        roles=pl.col("role").fill_null("null").str.join(" "), blank=blank.any()
    )
    return pl.concat([batch, said.drop("row")], how="horizontal")
