"""Language identification that only speaks when it is sure (ADR 0012).

A row is lost by a wrong answer and not by none. A text counts as foreign only if two
looks agree, at all of it and at its ordinary words: the detector calls its guess
reliable and scores it `min_margin` above the expected language (scores are 0 to 1),
and the words have `min_bytes`, which are letters in Latin script. Names, numbers and
addresses are no ordinary words: they are the same in every language.
"""

from functools import cache
from typing import Any

import polars as pl

from graft.config.quality import LanguageConfig
from graft.errors import ConfigError

# Addresses, words with a digit, and words with a capital, which may be names.
_NO_WORD = r"(?:https?://|www\.)\S+|\S+@\S+|\S*\d\S*|\b\p{Lu}[\p{L}\p{M}]*"
_SAME = {"bs": "hr", "id": "ms", "nb": "no", "nn": "no"}
"""Languages that the detector does not tell from another one."""


def to_codes(tags: pl.Series) -> pl.Series:
    """`fr`, `fr-CA` and `fr_FR` → fr; null for what the detector does not know."""
    base = tags.str.to_lowercase().str.extract(r"^([a-z]{2})(?:[-_][-\w]+)?$")
    codes = base.replace(_SAME)
    return pl.select(pl.when(codes.is_in(_known())).then(codes)).to_series()


def check_expected(config: LanguageConfig) -> None:
    """Raises: ConfigError if a side's language is none that the detector knows."""
    for side, tag in config.expected.items():
        if tag != "stratum" and to_codes(pl.Series([tag]))[0] is None:
            raise ConfigError(
                f"preprocess.quality.language.expected.{side}",
                f"no language {tag!r} is known",
                expected=f"stratum, or one of {', '.join(_known())}",
                fix="correct the code, or leave the side out: it is not checked then",
            )


def foreign(texts: pl.Series, codes: pl.Series, config: LanguageConfig) -> pl.Series:
    """The language that each text is surely in, where another one is expected.

    Null if it is in the expected one, if that cannot be told, or if none is expected.
    Only the first 1,000 bytes of a text are looked at.

    Args:
        texts: of one side; null where it does not speak. Shape [rows].
        codes: of `to_codes`, the expected language of each. Shape [rows].
    """
    detect = _detector().detect
    checked = (texts.is_not_null() & codes.is_not_null()).arg_true()
    said = texts.gather(checked)
    guesses = pl.Series([detect(text) for text in said.to_list()], dtype=pl.String)
    suspects = checked.filter(guesses != codes.gather(checked))
    said = texts.gather(suspects)
    looks = zip(said, _words(said), codes.gather(suspects), strict=True)
    verdicts = [_verdict(*look, config) for look in looks]
    unsaid = pl.repeat(None, len(texts), dtype=pl.String, eager=True)
    return unsaid.scatter(suspects, pl.Series(verdicts, dtype=pl.String))


def _words(texts: pl.Series) -> pl.Series:
    plain = texts.str.replace_all(_NO_WORD, " ")
    return plain.str.replace_all(r"[^\p{L}\p{M}'’]+", " ").str.strip_chars()


def _verdict(text: str, words: str, code: str, config: LanguageConfig) -> str | None:
    if len(words.encode()) < config.min_bytes:
        return None
    found = None
    for look in (text, words):
        result = _detector().detect_details(look)
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
    """Made on first use in each process; its calls share nothing that changes."""
    import eldc

    eldc.init()
    detector = eldc.instance()
    detector.set_scores(eldc.MAX_SCORES)
    return detector
