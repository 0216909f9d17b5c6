"""Conversions between a batch of conversations and flat columns of its turns.

A batch is a frame of EXAMPLE_SCHEMA; its turns are a frame with one line per turn:
`row` (of the batch), `role`, `content` and `learn`.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

ROLE_END, TURN_END = "\x1f", "\x1e"
"""Separators of roles, contents and turns, which normalised text does not contain."""


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
    """The texts of each row of a batch by role.

    Columns: `row`, `user` and `assistant` (contents of these roles, joined by a line
    end; null without such a turn), `prompt` (roles and contents before the last turn,
    empty if it is the only one), `whole` (roles and contents of all turns), `shortest`
    and `longest` (characters of a message).
    """
    roles = _same_roles(turns)
    return _of_same_roles(turns, roles) if roles else _of_any_roles(turns)


def prompt_or_whole() -> pl.Expr:
    """Over `sides`: the prompt, or the whole text of a row without one."""
    return pl.when(pl.col("prompt") != "").then("prompt").otherwise("whole")


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
    columns_of_turns = {str(at): content.gather_every(size, at) for at in range(size)}
    texts = [pl.col(str(at)) for at in range(size)]
    labelled = [
        pl.concat_str(pl.lit(role + ROLE_END), text)
        for role, text in zip(roles, texts, strict=True)
    ]
    sizes = [text.str.len_chars() for text in texts]
    columns: dict[str, pl.Expr] = {}
    for name in ("user", "assistant"):
        mine = [text for role, text in zip(roles, texts, strict=True) if role == name]
        nothing = pl.lit(None, pl.String)
        columns[name] = pl.concat_str(mine, separator="\n") if mine else nothing
    before = pl.concat_str(labelled[:-1], separator=TURN_END)
    prompt = before if size > 1 else pl.lit("")
    return pl.DataFrame(columns_of_turns).select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        **columns,
        prompt=prompt,
        whole=pl.concat_str(labelled, separator=TURN_END),
        shortest=pl.min_horizontal(sizes),
        longest=pl.max_horizontal(sizes),
    )


def _of_any_roles(turns: pl.DataFrame) -> pl.DataFrame:
    content, role = pl.col("content"), pl.col("role")
    labelled = pl.concat_str(role, content, separator=ROLE_END)
    size = content.str.len_chars()
    return turns.group_by("row", maintain_order=True).agg(
        user=_text_of("user"),
        assistant=_text_of("assistant"),
        prompt=labelled.head(pl.len() - 1).str.join(TURN_END),
        whole=labelled.str.join(TURN_END),
        shortest=size.min(),
        longest=size.max(),
    )


def _text_of(role: str) -> pl.Expr:
    texts = pl.col("content").filter(pl.col("role") == role)
    return pl.when(texts.len() > 0).then(texts.str.join("\n"))
