"""What is compared of conversations: the sets of their shingles, lines and numbers."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.preprocess.near_duplicates.members import (
    Ints,
    Members,
    join_members,
    ranges,
    to_members,
)
from graft.data.preprocess.near_duplicates.prompts import in_lines
from graft.data.preprocess.near_duplicates.shingles import (
    LINE,
    Offsets,
    to_shingles,
    to_words,
)


@dataclass(frozen=True)
class Sets:
    """What is compared of some rows, in about 20 bytes a word."""

    rows: Offsets  # row i has lines rows[i] to rows[i + 1]
    asked: Ints  # how many of these are the prompt's, they come first; [rows]
    prompts: Members  # shingles of each row's prompt, in order and with repeats
    lines: Members  # shingles of each line
    exact: Members  # numbers of each line
    shingles: Members  # of each row
    numbers: Members  # of each row

    def take(self, lines: Ints, counts: Ints) -> "Sets":
        """Rows of so many of these lines each; none of them is a prompt's."""
        rows = np.concatenate(([0], np.cumsum(counts)))
        none = np.zeros(len(counts), np.int64)
        prompts = Members(np.zeros(len(rows), np.int64), np.empty(0, np.uint32))
        chosen = self.lines.take(lines), self.exact.take(lines)
        return _to_sets(rows, none, prompts, *chosen)

    def answers(self, rows: Ints) -> "Sets":
        """What these rows answer, without their prompts."""
        ends = np.stack((self.rows[rows] + self.asked[rows], self.rows[rows + 1]))
        return self.take(
            ranges(ends.T.reshape(-1), 2 * np.arange(len(rows))), -np.subtract(*ends)
        )


def to_sets(said: pl.DataFrame, config: NearDuplicatesConfig) -> Sets:
    """The sets of a batch of conversations, those of candidates only.

    Args:
        said: columns prompt (null or empty: there is none) and answer.
        config: how many words a shingle has.
    """
    prompt = in_lines(pl.col("prompt").fill_null(""))
    prompt = pl.when(prompt.str.contains(r"\S")).then(prompt)
    both = said.select(
        text=pl.concat_str(prompt, "answer", separator="\n", ignore_nulls=True),
        asked=prompt.fill_null("").str.count_matches(LINE).cast(pl.Int64),
    )
    words = to_words(both["text"])
    lines, hashes = to_shingles(words, config.shingle)
    exact = np.concatenate(([0], np.cumsum(words.exact)))[words.lines]
    # What is answered is compared in any case: a row's last line.
    asked = np.minimum(both["asked"].to_numpy(), np.diff(words.rows) - 1)
    starts = lines[words.rows[:-1]]
    ends = np.stack((starts, lines[words.rows[:-1] + asked])).T.reshape(-1)
    return _to_sets(
        words.rows,
        asked,
        Members(ends, hashes).take(2 * np.arange(len(asked))),
        to_members(lines, hashes),
        to_members(exact, words.hashes[words.exact].astype(np.uint32)),
    )


def join_sets(parts: list[Sets]) -> Sets:
    """The rows of all parts, in their order."""
    sizes = [np.zeros(1, np.int64), *(np.diff(part.rows) for part in parts)]
    return Sets(
        np.cumsum(np.concatenate(sizes)),
        np.concatenate([np.empty(0, np.int64), *(part.asked for part in parts)]),
        join_members([part.prompts for part in parts]),
        join_members([part.lines for part in parts]),
        join_members([part.exact for part in parts]),
        join_members([part.shingles for part in parts]),
        join_members([part.numbers for part in parts]),
    )


def _to_sets(
    rows: Offsets, asked: Ints, prompts: Members, lines: Members, exact: Members
) -> Sets:
    return Sets(
        rows, asked, prompts, lines, exact, lines.united(rows), exact.united(rows)
    )
