"""The data contract that every example must satisfy after `preprocess`.

Each check is a Polars expression. (pandera would do the same with a schema class, but
takes 1.4 s to import.)
"""

from dataclasses import dataclass

import polars as pl

from graft.records import ORDER, ORDER_SHOWN, SPLITS


@dataclass(frozen=True)
class ExampleCheck:
    """One clause. `broken` is true for examples that violate it, `value` shows why."""

    name: str
    broken: pl.Expr
    value: pl.Expr
    expected: str


def _blank(column: str) -> ExampleCheck:
    return ExampleCheck(
        f"no {column}",
        pl.col(column).is_null() | (pl.col(column).str.strip_chars() == ""),
        pl.col(column).fill_null("null"),
        f"a non-empty {column}",
    )


CHECKS = (
    _blank("id"),
    _blank("group"),
    _blank("stratum"),
    ExampleCheck(
        "no place",
        ~pl.col("where").str.contains(r".:\d+$"),
        pl.col("where"),
        "file:row",
    ),
    ExampleCheck(
        "unknown split",
        ~pl.col("split").fill_null("train").is_in(SPLITS),
        pl.col("split"),
        f"{', '.join(SPLITS)} or null",
    ),
    ExampleCheck(
        "turns out of order",
        ~pl.col("roles").str.contains(ORDER),
        pl.col("roles"),
        ORDER_SHOWN,
    ),
    ExampleCheck(
        "blank message",
        pl.col("blank"),
        pl.col("roles"),
        "text in every message",
    ),
)


def with_turns(batch: pl.DataFrame, turns: pl.DataFrame) -> pl.DataFrame:
    """A batch with the columns that the checks need: `roles` and `blank`."""
    blank = pl.col("content").fill_null("").str.strip_chars() == ""
    columns = turns.group_by("row", maintain_order=True).agg(
        roles=pl.col("role").fill_null("null").str.join(" "), blank=blank.any()
    )
    return pl.concat([batch, columns.drop("row")], how="horizontal")
