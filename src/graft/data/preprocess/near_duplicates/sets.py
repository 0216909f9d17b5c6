"""The sets by which conversations are compared: shingles, lines and numbers."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.preprocess.near_duplicates.hash_sets import (
    HashSets,
    Ints,
    join_hash_sets,
    ranges,
    to_hash_sets,
)
from graft.data.preprocess.near_duplicates.shingles import (
    LINE,
    Offsets,
    to_shingles,
    to_words,
)

_BEGINS = r"(^|[.!?…:;>\])\"'”»-][ \t]+|[>\"“«„(。！？])"
_QUESTION = rf"(?m){_BEGINS}((?:[^.!?。！？؟\n]|[.!?][\pL\pN])*[?？؟])"
_LABEL = r"[ \t]+([*#]*\p{Lu}\p{L}*(?: \p{L}+)?[*]*:\s)"


@dataclass(frozen=True)
class Sets:
    """The sets of some rows, in about 20 bytes per word."""

    rows: Offsets  # row i has lines rows[i] to rows[i + 1]
    prompt_lines: Ints  # number of these that are the prompt's; they come first; [rows]
    prompts: HashSets  # shingles of each row's prompt, in order and with repeats
    lines: HashSets  # shingles of each line
    exact: HashSets  # numbers of each line
    shingles: HashSets  # of each row
    numbers: HashSets  # of each row

    @classmethod
    def of(
        cls,
        rows: Offsets,
        prompt_lines: Ints,
        prompts: HashSets,
        lines: HashSets,
        exact: HashSets,
    ) -> Self:
        """The sets of rows from those of their lines."""
        united = lines.united(rows), exact.united(rows)
        return cls(rows, prompt_lines, prompts, lines, exact, *united)

    def take(self, lines: Ints, counts: Ints) -> "Sets":
        """Rows of `counts` consecutive lines each, without prompts."""
        rows = np.concatenate(([0], np.cumsum(counts)))
        none = np.zeros(len(counts), np.int64)
        prompts = HashSets(np.zeros(len(rows), np.int64), np.empty(0, np.uint32))
        chosen = self.lines.take(lines), self.exact.take(lines)
        return Sets.of(rows, none, prompts, *chosen)

    def answers(self, rows: Ints) -> "Sets":
        """The answers of these rows, without their prompts."""
        first = self.rows[rows] + self.prompt_lines[rows]
        ends = np.stack((first, self.rows[rows + 1]))
        return self.take(
            ranges(ends.T.reshape(-1), 2 * np.arange(len(rows))), -np.subtract(*ends)
        )


def to_sets(texts: pl.DataFrame, config: NearDuplicatesConfig) -> Sets:
    """The sets of a batch of conversations that are in candidate pairs, from their
    columns prompt (null or empty: there is none) and answer."""
    prompt = _in_lines(pl.col("prompt").fill_null(""))
    prompt = pl.when(prompt.str.contains(r"\S")).then(prompt)
    both = texts.select(
        text=pl.concat_str(prompt, "answer", separator="\n", ignore_nulls=True),
        prompt_lines=prompt.fill_null("").str.count_matches(LINE).cast(pl.Int64),
    )
    words = to_words(both["text"])
    lines, hashes = to_shingles(words, config.shingle)
    exact = np.concatenate(([0], np.cumsum(words.exact)))[words.lines]
    # The last line of a row always counts as answer, so that answers are compared.
    prompt_lines = np.minimum(both["prompt_lines"].to_numpy(), np.diff(words.rows) - 1)
    starts = lines[words.rows[:-1]]
    ends = np.stack((starts, lines[words.rows[:-1] + prompt_lines])).T.reshape(-1)
    return Sets.of(
        words.rows,
        prompt_lines,
        HashSets(ends, hashes).take(2 * np.arange(len(prompt_lines))),
        to_hash_sets(lines, hashes),
        to_hash_sets(exact, words.hashes[words.exact].astype(np.uint32)),
    )


def join_sets(parts: list[Sets]) -> Sets:
    """The rows of all parts, in their order."""
    sizes = [np.zeros(1, np.int64), *(np.diff(part.rows) for part in parts)]
    names = ("prompts", "lines", "exact", "shingles", "numbers")
    return Sets(
        np.cumsum(np.concatenate(sizes)),
        np.concatenate([np.empty(0, np.int64), *(part.prompt_lines for part in parts)]),
        *(join_hash_sets([getattr(part, name) for part in parts]) for name in names),
    )


def _in_lines(prompt: pl.Expr) -> pl.Expr:
    """Put each question, and each label such as `Answer:`, on a new line.

    So a passage and a question about it are always two lines.
    """
    return prompt.str.replace_all(_QUESTION, "$1\n$2\n").str.replace_all(_LABEL, "\n$1")
