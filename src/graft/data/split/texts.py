"""Conversations as texts to compare."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from graft.data import turns
from graft.data.split.ngrams import Hashes, WordIndex, hash_texts, to_words

SLICE_BYTES = 2**18
"""Text hashed at once; its arrays fit into a CPU cache."""


def slices(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Slices of consecutive rows with about SLICE_BYTES of text, at least one row."""
    size = rows.select(
        pl.col("messages")
        .list.eval(pl.element().struct.field("content").str.len_bytes())
        .list.sum()
    )["messages"].to_numpy()
    number = np.cumsum(size) // SLICE_BYTES
    cuts = np.flatnonzero(np.diff(number, prepend=-1))
    if rows.is_empty():
        return
    for start, end in zip(cuts, [*cuts[1:], rows.height], strict=True):
        yield rows[int(start) : int(end)]


def sides(rows: pl.DataFrame) -> pl.DataFrame:
    """Columns `prompt` (all user turns) and `answer` (all assistant turns)."""
    both = turns.sides(turns.unfold(rows)).fill_null("")
    return both.select(prompt="user", answer="assistant")


def first_side(both: pl.DataFrame) -> pl.Series:
    """The prompt; the answer where there is no prompt, as in plain completion."""
    return both.select(
        pl.when(pl.col("prompt") != "").then("prompt").otherwise("answer")
    ).to_series()


def hash_rows(rows: pl.DataFrame) -> tuple[WordIndex, Hashes]:
    """The words of all prompts and then of all answers; and a hash of each row's whole
    prompt (of its answer if it has no prompt)."""
    both = sides(rows)
    words = to_words(pl.concat([both["prompt"], both["answer"].alias("prompt")]))
    wholes, counts = hash_texts(words, 2 * rows.height)
    prompts, answers = wholes[: rows.height], wholes[rows.height :]
    return words, np.where(counts[: rows.height] > 0, prompts, answers)


def group_bits(groups: pl.Series) -> Hashes:
    """One of 64 bits for each group, by its hash."""
    wholes, _ = hash_texts(to_words(groups), len(groups))
    return np.uint64(1) << (wholes >> np.uint64(58))
