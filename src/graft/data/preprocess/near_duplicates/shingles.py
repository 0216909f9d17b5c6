"""Texts → hashed shingles of words, the same on every machine and in every batch.

Words are runs of letters and digits, in lower case; punctuation is dropped; operators
and currency signs are words. In scripts without spaces between words, each character is
a word. A line without any word is one word.

A shingle stays within its line. A line is padded on both sides with one word less than
a shingle has, so that its first and last words count as much as others, and lines
shorter than a shingle need no special case.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint32]
Keys = npt.NDArray[np.uint64]
Offsets = npt.NDArray[np.int64]

# Scripts without spaces between words.
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_SIGN = r"[\p{S}*/%&@#-]"
_WORD = rf"{_UNSPACED}|[[\p{{L}}\p{{M}}\p{{N}}]--{_UNSPACED}]+|{_SIGN}"
_EXACT = r"[\p{N}\p{S}*/%&@#-]"
LINE = r"[^\n]*\S[^\n]*"
_BLANK = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)


def odd_numbers(count: int, seed: int) -> Keys:
    """Random odd 64-bit numbers. NumPy guarantees that PCG64's raw stream is stable."""
    raw = np.random.PCG64(seed).random_raw(count)
    return np.asarray(raw, np.uint64) | np.uint64(1)


def mixed(values: Keys) -> Keys:
    """Mix the bits of each value over all 64; a sum of products alone does not."""
    values = (values ^ (values >> np.uint64(32))) * _MIX
    return values ^ (values >> np.uint64(32))


@dataclass(frozen=True)
class HashedWords:
    """Hashed words of a batch, by line. Each row has a line, each line a word.

    `exact` marks words with a digit or a sign, which must not be replaced.
    """

    rows: Offsets  # row i has lines rows[i] to rows[i + 1], [rows + 1]
    lines: Offsets  # line j has words lines[j] to lines[j + 1], [lines + 1]
    hashes: Keys  # [words]
    exact: npt.NDArray[np.bool_]  # [words]


def to_words(texts: pl.Series) -> HashedWords:
    """The words of each text. Null is the empty text; blank lines are left out."""
    import polars_hash  # pylint: disable=import-outside-toplevel

    lowered = texts.fill_null("").str.to_lowercase()
    lines, rows = _parts(lowered, LINE)
    words, ends = _parts(lines, _WORD)
    known = words.to_frame("word").select(
        hash=polars_hash.col("word").nchash.xxh3_64(),
        exact=pl.col("word").str.contains(_EXACT),
    )
    return HashedWords(rows, ends, known["hash"].to_numpy(), known["exact"].to_numpy())


def _parts(texts: pl.Series, pattern: str) -> tuple[pl.Series, Offsets]:
    """The matches of all texts in one column, and the offset of each text's first. A
    text without a match counts as one."""
    found = pl.col("text").str.extract_all(pattern)
    lists = texts.to_frame("text").select(
        pl.when(found.list.len() > 0).then(found).otherwise(pl.concat_list("text"))
    )["text"]
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(lists.list.len().to_numpy(), out=offsets[1:])
    return lists.explode(empty_as_null=True, keep_nulls=True), offsets


def to_shingles(words: HashedWords, length: int) -> tuple[Offsets, Hashes]:
    """Each line's shingles of `length` words: offsets [lines + 1], hashes [shingles].

    A line of n words has n + length - 1 shingles, in order and with repeats.
    """
    blanks = length - 1
    number = np.arange(len(words.lines))
    offsets = words.lines + blanks * number
    padded = np.full(offsets[-1] + blanks, _BLANK, np.uint64)
    # Each line is its padding and its words; the next line's padding ends it.
    places = np.arange(len(words.hashes)) + np.repeat(
        blanks * number[1:], np.diff(words.lines)
    )
    padded[places] = words.hashes
    sums = np.zeros(offsets[-1], np.uint64)
    for at, weight in enumerate(odd_numbers(length, seed=length)):
        sums += padded[at : at + len(sums)] * weight
    return offsets, (mixed(sums) >> np.uint64(32)).astype(np.uint32)
