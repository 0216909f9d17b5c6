"""The turns of a batch of conversations as flat columns, and back.

A batch is a frame of EXAMPLE_SCHEMA; its turns are a frame with a line a turn: `row`
(of the batch), `role` and `content`.
"""

import polars as pl


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
        messages=pl.struct("role", "content")
    )["messages"]


def sides(turns: pl.DataFrame) -> pl.DataFrame:
    """What is asked and what is learned in each row of a batch.

    Columns: `user` and `assistant` (contents of these roles, joined by a line end;
    null if the role does not speak), `prompt` (roles and contents before the last
    turn, empty if it is the only one), `whole` (roles and contents of all turns),
    `shortest` and `longest` (characters of a message).
    """
    content, role = pl.col("content"), pl.col("role")
    # U+001F and U+001E part roles, contents and turns: normalised text has neither.
    spoken = pl.concat_str(role, content, separator="\x1f")
    size = content.str.len_chars()
    return turns.group_by("row", maintain_order=True).agg(
        user=_say("user"),
        assistant=_say("assistant"),
        prompt=spoken.head(pl.len() - 1).str.join("\x1e"),
        whole=spoken.str.join("\x1e"),
        shortest=size.min(),
        longest=size.max(),
    )


def _say(role: str) -> pl.Expr:
    said = pl.col("content").filter(pl.col("role") == role)
    return pl.when(said.len() > 0).then(said.str.join("\n"))
