"""Fast columnar conversion of rows that need no checks by the task.

It takes only rows that `graft.data.convert.examples` would accept, with the same
result; every other row goes there, and becomes an example or a reject.
"""

from collections.abc import Sequence

import polars as pl

from graft.config import DataConfig
from graft.data.columns import digest
from graft.data.convert.examples import num_requirements
from graft.data.convert.task import Task
from graft.records import EXAMPLE_SCHEMA, SPLITS, Role
from graft.records.row_batch import RowBatch

_VISIBLE = r"[\pL\pN\pP\pS]"
_CONTROL = r"[\x00-\x1f\x7f]"


def is_plain(data: DataConfig, task: Task) -> bool:
    """Whether the task's turns are unchanged fields, and the source has no further
    requirements."""
    fields = {field for _, field in task.turns}
    return bool(fields) and set(data.fields) == fields and not num_requirements(data)


def to_plain(batch: RowBatch, data: DataConfig, task: Task) -> pl.DataFrame:
    """Lines of EXAMPLE_SCHEMA and `at`, their positions in the batch; without the rows
    that it does not take."""
    frame = pl.DataFrame({"where": batch.where(), "file_split": batch.split()})
    fine = pl.lit(True)
    for name, path in data.fields.items():
        frame = frame.with_columns(batch.texts(path).alias(f"field {name}"))
        fine &= pl.col(f"field {name}").str.contains(_VISIBLE)
    for name, label, nothing in (
        ("group", data.group, ""),
        ("stratum", data.stratum, "all"),
    ):
        if label is None:
            frame = frame.with_columns(pl.lit(nothing).alias(name))
            continue
        frame = frame.with_columns(batch.texts(label, numbers=True).alias(name))
        column = pl.col(name)
        fine &= column.str.contains(_VISIBLE) & ~column.str.contains(_CONTROL)
    if data.split is None:
        official = pl.col("file_split")
    else:
        frame = frame.with_columns(batch.texts(data.split).alias("own_split"))
        official = pl.col("own_split")
        fine &= official.is_in(SPLITS)
    turns = [(role, pl.col(f"field {field}")) for role, field in task.turns]
    return (
        frame.with_row_index("at")
        .filter(fine)
        .with_columns(
            _identity(task.name, turns),
            pl.concat_list(
                pl.struct(
                    role=pl.lit(role), content=text, learn=pl.lit(None, pl.Boolean)
                )
                for role, text in turns
            ).alias("messages"),
            pl.lit([], pl.List(pl.String)).alias("references"),
            pl.col("group", "stratum").str.strip_chars(),
            split=official,
        )
        .with_columns(pl.col("id").map_batches(digest, pl.String))
        .select("at", *EXAMPLE_SCHEMA.names)
    )


def _identity(task: str, turns: Sequence[tuple[Role, pl.Expr]]) -> pl.Expr:
    """The text that `examples.identity` hashes."""
    parts: list[pl.Expr] = [pl.lit(task)]
    for role, text in turns:
        size = text.str.len_bytes().cast(pl.String)
        parts += [pl.lit(f"\n{role} "), size, pl.lit(" "), text]
    return pl.concat_str(parts).alias("id")
