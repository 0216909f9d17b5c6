"""Words and n-grams of texts as 64-bit hashes, over flat arrays.

A word is a run of letters, marks or digits, in lower case; punctuation and space only
separate words, as in GPT-3 (Brown et al. 2020, arXiv:2005.14165, appendix C). In
addition, a sign before a number is a word, since 3 + 4 is not 3 - 4, and so is each
character of a script without spaces between words.

Hashes are polynomials modulo 2⁶⁴ with an odd base, mixed after each level: sums over
flat arrays, the same on every machine and with every version of a library.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

SIGNS = b"+-*/=<>^%"
_SPACELESS = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_MARKS = r"[^\p{L}\p{M}\p{N}\x00-\x7F]"
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 2**64)


_LETTER, _DIGIT, _SIGN = 1, 2, 4
_KINDS = np.zeros(256, np.uint8)
_KINDS[np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)] = _LETTER
_KINDS[128:] = _LETTER
_KINDS[np.frombuffer(b"0123456789", np.uint8)] = _DIGIT
_KINDS[np.frombuffer(SIGNS, np.uint8)] = _SIGN
_VALUES = np.random.default_rng(0).integers(1, 2**64, 256, np.uint64)
_VALUES[_KINDS == 0] = 0


class WordIndex(NamedTuple):
    """The words of many texts, concatenated.

    Attributes:
        hashes: shape [words].
        texts: index of each word's text, ascending. Shape [words].
        places: byte offset in `data` at which each word begins. Shape [words].
        data: all texts in lower case, UTF-8. Shape [bytes].
    """

    hashes: Hashes
    texts: Ints
    places: Ints
    data: npt.NDArray[np.uint8]

    def spell(self, first: int, num_words: int) -> str:
        """Consecutive words of one text, with the characters between them."""
        after = self.places[first + num_words : first + num_words + 1]
        end = int(after[0]) if len(after) else len(self.data)
        text = bytes(self.data[self.places[first] : end]).decode("utf-8", "replace")
        return " ".join(text.partition("\x00")[0].split())


def to_words(texts: pl.Series) -> WordIndex:
    """Hash the words of texts; null is an empty text. Needs 40 times their bytes."""
    plain = texts.fill_null("").str.to_lowercase()
    plain = plain.str.replace_all(_SPACELESS, " ${0} ").str.replace_all(_MARKS, " ")
    # NUL ends each text, so that words of two texts never join.
    column = (plain + "\0").to_arrow(compat_level=pl.CompatLevel.oldest())
    buffers = column.buffers()
    if len(column) == 0:
        none = np.zeros(0, np.int64)
        return WordIndex(none.astype(np.uint64), none, none, none.astype(np.uint8))
    offsets = np.frombuffer(buffers[1], np.int64)[column.offset :][: len(column) + 1]
    data = np.frombuffer(buffers[2], np.uint8)[offsets[0] : offsets[-1]]
    places, no_words = _find_words(data)
    counts = np.diff(np.searchsorted(places, offsets - offsets[0]))
    texts_of = np.repeat(np.arange(len(counts)), counts)
    if places.size == 0:
        return WordIndex(np.zeros(0, np.uint64), texts_of, places, data)
    values = _VALUES[data]
    values[no_words] = 0
    values *= _powers(_BASE, len(data))
    hashes = np.add.reduceat(values, places)
    hashes *= _powers(_INVERSE, len(data))[places]
    return WordIndex(_mix(hashes), texts_of, places, data)


def to_ngrams(words: WordIndex, n: int) -> tuple[Hashes, Ints]:
    """The hash of every n-gram within a text, and the index of its first word.
    Shapes [n-grams]."""
    size = len(words.hashes) - n + 1
    if size <= 0:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    first = np.flatnonzero(words.texts[:size] == words.texts[n - 1 :])
    total = np.zeros(size, np.uint64)
    for k in range(n):
        total *= np.uint64(_BASE)
        total += words.hashes[k : k + size]
    return _mix(total[first]), first


def hash_texts(words: WordIndex, num_texts: int) -> tuple[Hashes, Ints]:
    """Each text's hash over all its words, and its number of words. Shapes [texts]."""
    counts = np.bincount(words.texts, minlength=num_texts)
    hashes = np.zeros(num_texts, np.uint64)
    filled = np.flatnonzero(counts)
    if len(filled):
        starts = np.concatenate([[0], np.cumsum(counts)])[filled]
        place = np.arange(len(words.hashes)) - np.repeat(starts, counts[filled])
        values = words.hashes * _powers(_BASE, int(counts.max()))[place]
        hashes[filled] = _mix(np.add.reduceat(values, starts))
    return hashes, counts


def _find_words(data: npt.NDArray[np.uint8]) -> tuple[Ints, Ints]:
    """Offsets at which a word begins, and of signs without a number after them."""
    kind = _KINDS[data]
    word = (kind & (_LETTER | _DIGIT)) > 0
    begins = word.copy()
    begins[1:] &= ~word[:-1]
    signs = np.flatnonzero(kind == _SIGN)
    # The text ends with NUL, so there is a byte after a sign, and after a space.
    after = signs + 1 + (data[signs + 1] == ord(" "))
    numbered = kind[after] == _DIGIT
    begins[signs[numbered]] = True
    return np.flatnonzero(begins), signs[~numbered]


def _mix(values: Hashes) -> Hashes:
    """Every output bit depends on every input bit. Source: SplitMix64, Steele 2014."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _powers(base: int, size: int) -> Hashes:
    """base⁰, base¹ … modulo 2⁶⁴. Shape [size]."""
    return _all_powers(base, max(size - 1, 1).bit_length())[:size]


@lru_cache(8)
def _all_powers(base: int, bits: int) -> Hashes:
    powers = np.full(2**bits, base, np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)
