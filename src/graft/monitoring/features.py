"""What is kept of a prompt to find drift: numbers, categories and hashed tokens.

Computed alike for the training data and for each request, and stored in the request log
when the text is not. Hashes have few bits, so that they do not give the text back.
"""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Self

import pyarrow as pa

from graft.config.pii import KINDS
from graft.data.preprocess.languages import identify
from graft.data.preprocess.pii.folding import fold
from graft.data.preprocess.pii.prefilter import traits_of
from graft.data.preprocess.pii.recognise import recognise

VERSION = 1
"""Of the meaning of all features: those of different versions are never compared."""
PREFIX = "prompt_"
"""Of the columns in a row."""
MAX_CHARS = 4096
"""Of a prompt; the rest is only counted."""
MAX_NGRAMS = 32
"""Of each order; those of a longer prompt are taken at equal distances."""
TOKEN_BITS, BIGRAM_BITS, TEMPLATE_BITS = 8, 10, 8
NUM_TEMPLATE_TOKENS = 2
"""At the beginning and at the end of a prompt, which show the template around it."""
REGIONS = ("FR", "US")
"""Whose telephone numbers are counted without a country code."""

_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})\]", re.IGNORECASE)
_CLASSES = bytearray(b"n" * 256)  # not ASCII
_CLASSES[:128] = b"l" * 128
for _characters, _name in (
    (b" \t\r", b"s"),
    (b"\n", b"b"),
    (b"0123456789", b"d"),
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"u"),
    (b".,;:!?'\"()-", b"p"),
    (b"{}[]<>=_\\/|&%$#@*+~^`", b"c"),
):
    for _code in _characters:
        _CLASSES[_code] = _name[0]
_CLASSES_OF_BYTES = bytes(_CLASSES)


@dataclass(frozen=True, slots=True)
class Features:
    """Of one prompt.

    Shares are of the UTF-8 bytes of the first `MAX_CHARS` characters, 0 to 1.

    Args:
        tokens: of the prompt as the model sees it, with the template.
        chars: of the user's text.
        chars_per_token: low for text that the tokenizer has no words for, which it
            writes in single bytes or characters.
        words: separated by white space.
        chars_per_word: mean.
        language: code of the likeliest one; empty if there is none.
        script: such as `latin`; empty without letters.
        digits, punctuation, symbols, capitals, non_ascii: shares. Symbols are those of
            programs and markup, such as `{`, `=` and `_`.
        lines: 1 for a text without line ends.
        personal_data: findings of all kinds, and placeholders of redacted ones.
        opening, closing: hash of the first and last token ids: 0 to 255.
        ngrams: hashes of tokens, 0 to 255.
        bigrams: hashes of pairs of tokens, 0 to 1023.
    """

    tokens: int
    chars: int
    chars_per_token: float
    words: int
    chars_per_word: float
    language: str
    script: str
    digits: float
    punctuation: float
    symbols: float
    capitals: float
    non_ascii: float
    lines: int
    personal_data: int
    opening: int
    closing: int
    ngrams: tuple[int, ...]
    bigrams: tuple[int, ...]

    def to_row(self) -> dict[str, Any]:
        """Values by the columns of `FEATURE_SCHEMA`."""
        return {PREFIX + name: value for name, value in asdict(self).items()}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The features of a row that `to_row` made; other columns are ignored."""
        values = {name: row[PREFIX + name] for name in cls.__annotations__}
        for name in ("ngrams", "bigrams"):
            values[name] = tuple(values[name])
        return cls(**values)


_TYPES = {int: pa.int32(), float: pa.float32(), str: pa.string()}
FEATURE_SCHEMA = pa.schema(
    pa.field(PREFIX + name, _TYPES.get(kind, pa.list_(pa.int32())))
    for name, kind in Features.__annotations__.items()
)
"""Columns of the features in a row of the request log; all are null for a request
without a prompt."""
FEATURE_COLUMNS = tuple(FEATURE_SCHEMA.names)


def to_features(prompt: str, ids: Sequence[int]) -> Features:
    """The features of what the user wrote and of its token ids with the template.

    About 0.1 ms for a sentence.
    """
    text = prompt[:MAX_CHARS]
    data = text.encode("utf-8", "replace")
    classes = data.translate(_CLASSES_OF_BYTES)
    size = max(1, len(data))
    words = text.split()
    return Features(
        tokens=len(ids),
        chars=len(prompt),
        chars_per_token=len(prompt) / max(1, len(ids)),
        words=len(words),
        chars_per_word=sum(map(len, words)) / max(1, len(words)),
        language=identify(text),
        script=_script(text),
        digits=classes.count(b"d") / size,
        punctuation=classes.count(b"p") / size,
        symbols=classes.count(b"c") / size,
        capitals=classes.count(b"u") / size,
        non_ascii=classes.count(b"n") / size,
        lines=1 + classes.count(b"b"),
        personal_data=_count_personal_data(text),
        opening=_hash(ids[:NUM_TEMPLATE_TOKENS], TEMPLATE_BITS),
        closing=_hash(ids[-NUM_TEMPLATE_TOKENS:], TEMPLATE_BITS),
        ngrams=_ngrams(ids, 1, TOKEN_BITS),
        bigrams=_ngrams(ids, 2, BIGRAM_BITS),
    )


def _count_personal_data(text: str) -> int:
    plain = fold(text).text
    count = len(_PLACEHOLDER.findall(plain)) if "[" in plain else 0
    if traits := traits_of(plain):
        count += sum(one.sure for one in recognise(plain, traits, REGIONS))
    return count


def _script(text: str) -> str:
    """The script of most letters among the first 200 characters."""
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else ""
    found = [_script_of(char) for char in text[:200] if char.isalpha()]
    return max(sorted(set(found)), key=found.count, default="")


@lru_cache(4096)
def _script_of(char: str) -> str:
    """The first word of a letter's name is its script."""
    return unicodedata.name(char, "other").partition(" ")[0].lower()


def _ngrams(ids: Sequence[int], order: int, bits: int) -> tuple[int, ...]:
    count = len(ids) - order + 1
    step = max(1, math.ceil(count / MAX_NGRAMS))
    return tuple(_hash(ids[at : at + order], bits) for at in range(0, count, step))


def _hash(ids: Sequence[int], bits: int) -> int:
    """The upper bits of a multiplicative hash; the same on every machine."""
    value = 0
    for token in ids:
        value = ((value ^ (token + 1)) * 0x9E3779B97F4A7C15) & (2**64 - 1)
        value ^= value >> 32
    return value * 0x9E3779B97F4A7C15 % 2**64 >> (64 - bits)
