"""Language identification with high precision: no verdict in case of doubt (ADR 0012).

A wrong verdict loses a row, a missing one does not. A text counts as foreign only if
two detections agree, of all of it and of its ordinary words: each is called reliable by
the detector and scores `min_margin` above the expected language (scores are 0 to 1),
and the words have `min_bytes` (letters, in Latin script). Names, numbers and addresses
are not ordinary words: they are the same in every language.
"""

from functools import cache
from typing import Any

import polars as pl

from graft.config.quality import LanguageConfig
from graft.errors import ConfigError

# Addresses, words with a digit, and words with a capital, which may be names.
_NO_WORD = r"(?:https?://|www\.)\S+|\S+@\S+|\S*\d\S*|\b\p{Lu}[\p{L}\p{M}]*"
_SAME = {"bs": "hr", "id": "ms", "nb": "no", "nn": "no"}
"""Languages that the detector does not distinguish from another one."""


def to_codes(tags: pl.Series) -> pl.Series:
    """`fr`, `fr-CA` and `fr_FR` → fr; null for languages that the detector lacks."""
    base = tags.str.to_lowercase().str.extract(r"^([a-z]{2})(?:[-_][-\w]+)?$")
    codes = base.replace(_SAME)
    return pl.select(pl.when(codes.is_in(_known())).then(codes)).to_series()


def check_expected(config: LanguageConfig) -> None:
    """Raises: ConfigError if the detector lacks the language of a side."""
    for side, tag in config.expected.items():
        if tag != "stratum" and to_codes(pl.Series([tag]))[0] is None:
            raise ConfigError(
                f"preprocess.quality.language.expected.{side}",
                f"unknown language {tag!r}",
                expected=f"stratum, or one of {', '.join(_known())}",
                fix="correct the code, or remove the side, which is then not checked",
            )


def foreign(texts: pl.Series, codes: pl.Series, config: LanguageConfig) -> pl.Series:
    """The language of each text that is reliably not in the expected one. Shape [rows].

    Null if it is in the expected one, in case of doubt, or if none is expected. Only
    the first 1,000 bytes of a text are read.

    Args:
        texts: of one side; null where it has no turn. Shape [rows].
        codes: of `to_codes`, the expected language of each. Shape [rows].
    """
    detect = _detector().detect
    checked = (texts.is_not_null() & codes.is_not_null()).arg_true()
    some = texts.gather(checked)
    guesses = pl.Series([detect(text) for text in some.to_list()], dtype=pl.String)
    suspects = checked.filter(guesses != codes.gather(checked))
    some = texts.gather(suspects)
    triples = zip(some, _words(some), codes.gather(suspects), strict=True)
    verdicts = [_verdict(*triple, config) for triple in triples]
    none = pl.repeat(None, len(texts), dtype=pl.String, eager=True)
    return none.scatter(suspects, pl.Series(verdicts, dtype=pl.String))


def identify(text: str) -> str:
    """The likeliest language of a text, which may be wrong for a short one; empty if
    the detector has none."""
    return _detector().detect(text) or ""


def _words(texts: pl.Series) -> pl.Series:
    plain = texts.str.replace_all(_NO_WORD, " ")
    return plain.str.replace_all(r"[^\p{L}\p{M}'’]+", " ").str.strip_chars()


def _verdict(text: str, words: str, code: str, config: LanguageConfig) -> str | None:
    if len(words.encode()) < config.min_bytes:
        return None
    found = None
    for part in (text, words):
        result = _detector().detect_details(part)
        found, scores = result.language, result.scores
        if not result.reliable or found == code:
            return None
        if scores[found] - scores.get(code, 0.0) < config.min_margin:
            return None
    return found


@cache
def _known() -> list[str]:
    import eldc

    return sorted(eldc.LANGUAGES)


@cache
def _detector() -> Any:
    """Created on first use in each process; its calls share no mutable state."""
    import eldc

    eldc.init()
    detector = eldc.instance()
    detector.set_scores(eldc.MAX_SCORES)
    return detector
