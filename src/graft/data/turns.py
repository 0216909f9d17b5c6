"""The turns of a batch of conversations as flat columns, and back.

A batch is a frame of EXAMPLE_SCHEMA; its turns are a frame with a line a turn: `row`
(of the batch), `role`, `content` and `learn`.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

ROLE_END, TURN_END = "\x1f", "\x1e"
"""They part roles, contents and turns: normalised text has neither."""


def unfold(batch: pl.DataFrame) -> pl.DataFrame:
    """Turns of a batch, in order."""
    return (
        batch.select("messages")
        .with_row_index("row")
        .explode("messages")
        .unnest("messages")
    )


def fold(turns: pl.DataFrame) -> pl.Series:
    """Messages of each row of a batch, from its turns."""
    return turns.group_by("row", maintain_order=True).agg(
        messages=pl.struct("role", "content", "learn")
    )["messages"]


def sides(turns: pl.DataFrame) -> pl.DataFrame:
    """What is asked and what is learned in each row of a batch.

    Columns: `row`, `user` and `assistant` (contents of these roles, joined by a line
    end; null if the role does not speak), `prompt` (roles and contents before the last
    turn, empty if it is the only one), `whole` (roles and contents of all turns),
    `shortest` and `longest` (characters of a message).
    """
    roles = _same_roles(turns)
    return _of_same_roles(turns, roles) if roles else _of_any_roles(turns)


def _same_roles(turns: pl.DataFrame) -> list[str]:
    """The roles of a row's turns, if all rows have the same; else none."""
    size = int(turns["row"].eq(0).sum())
    if not size or turns.height % size:
        return []
    row, role = turns["row"].to_numpy(), turns["role"]
    if row[-1] != turns.height // size - 1 or np.any(np.diff(row[::size]) != 1):
        return []
    alike = all(role.gather_every(size, at).n_unique() == 1 for at in range(size))
    return role.head(size).to_list() if alike and not role.has_nulls() else []


def _of_same_roles(turns: pl.DataFrame, roles: Sequence[str]) -> pl.DataFrame:
    """As `sides`: column by column, without grouping."""
    size = len(roles)
    content = turns["content"]
    said = pl.DataFrame({str(at): content.gather_every(size, at) for at in range(size)})
    texts = [pl.col(str(at)) for at in range(size)]
    spoken = [
        pl.concat_str(pl.lit(role + ROLE_END), text)
        for role, text in zip(roles, texts, strict=True)
    ]
    sizes = [text.str.len_chars() for text in texts]
    columns: dict[str, pl.Expr] = {}
    for name in ("user", "assistant"):
        mine = [text for role, text in zip(roles, texts, strict=True) if role == name]
        joined = pl.concat_str(mine, separator="\n") if mine else None
        columns[name] = pl.lit(None, pl.String) if joined is None else joined
    prompt = pl.concat_str(spoken[:-1], separator=TURN_END) if size > 1 else pl.lit("")
    return said.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        **columns,
        prompt=prompt,
        whole=pl.concat_str(spoken, separator=TURN_END),
        shortest=pl.min_horizontal(sizes),
        longest=pl.max_horizontal(sizes),
    )


def _of_any_roles(turns: pl.DataFrame) -> pl.DataFrame:
    content, role = pl.col("content"), pl.col("role")
    spoken = pl.concat_str(role, content, separator=ROLE_END)
    size = content.str.len_chars()
    return turns.group_by("row", maintain_order=True).agg(
        user=_say("user"),
        assistant=_say("assistant"),
        prompt=spoken.head(pl.len() - 1).str.join(TURN_END),
        whole=spoken.str.join(TURN_END),
        shortest=size.min(),
        longest=size.max(),
    )


def _say(role: str) -> pl.Expr:
    said = pl.col("content").filter(pl.col("role") == role)
    return pl.when(said.len() > 0).then(said.str.join("\n"))
