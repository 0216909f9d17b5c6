"""The rules of `preprocess.quality`, each a Rule as in `filters`.

What no cheap expression can compute is added by `measure` as further columns beside
those of `turns.sides`.
"""

import polars as pl

from graft.config.quality import QualityConfig, Side
from graft.data.preprocess.filters import SIDES, Rule, beginnings
from graft.data.preprocess.languages import check_expected, foreign, to_codes
from graft.data.preprocess.repetition import MIN_REPEATS, repetition

LETTERS_OF_TEXT = 0.5
"""Share of letters from which a side counts as text."""


def quality_rules(config: QualityConfig) -> list[Rule]:
    """The configured rules, over the columns of `sides` and `measure`.

    Raises: ConfigError if an expected language is unknown.
    """
    chosen = []
    if config.lost_characters == "drop":
        chosen.append(_lost_characters())
    if config.placeholders:
        chosen.append(_placeholder())
    if config.max_repetition is not None:
        chosen.append(_repetition(config.max_repetition))
    if config.min_letters is not None:
        chosen.append(_letters(config.min_letters))
    if config.same_numbers:
        chosen.append(_numbers())
    if config.language is not None and config.language.expected:
        check_expected(config.language)
        chosen.append(_language(config.language.expected))
    return chosen


def measure(
    both: pl.DataFrame, turns: pl.DataFrame, strata: pl.Series, config: QualityConfig
) -> pl.DataFrame:
    """`both` with the columns that the rules need.

    Columns: `placeholder` (a message that is one, or null), `repetition` (share of the
    most repetitive message, or null), `user_language` and `assistant_language` (the
    language of a side that is reliably not in the expected one, or null). `both` are
    of `turns.sides`, `turns` of `turns.unfold`, repaired.
    """
    if config.placeholders:
        is_one = pl.col("content").str.contains(_pattern(config.placeholders))
        found = turns.filter(is_one).select("row", placeholder="content")
        both = _with_greatest(both, found)
    if config.max_repetition is not None:
        shares = turns.select("row", repetition=repetition(turns["content"]))
        both = _with_greatest(both, shares.filter(pl.col("repetition") > 0))
    if config.language is not None:
        for side, tag in config.language.expected.items():
            same = pl.repeat(tag, len(strata), eager=True)
            codes = to_codes(strata if tag == "stratum" else same)
            found_in = foreign(both[side], codes, config.language)
            both = both.with_columns(found_in.alias(f"{side}_language"))
    return both


def _with_greatest(both: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """`both` with the greatest value that `found` has for each row, or null."""
    greatest = found.group_by("row").agg(pl.exclude("row").max())
    return both.join(greatest, on="row", how="left", maintain_order="left")


def _pattern(placeholders: list[str]) -> str:
    """Matches a message that equals a value, or begins with it for `value*`."""
    wanted = (
        pl.escape_regex(value.removesuffix("*")) + (".*" if value.endswith("*") else "")
        for value in placeholders
    )
    return rf"(?is)^\s*(?:{'|'.join(wanted)})\s*$"


def _lost_characters() -> Rule:
    lost = [pl.col(side).str.contains("\ufffd", literal=True) for side in SIDES]
    return Rule(
        "lost characters",
        pl.any_horizontal(lost),
        "text without the replacement character U+FFFD",
        "read the source in its own encoding (data.encoding), correct the row, or set "
        "preprocess.quality.lost_characters to keep",
    )


def _placeholder() -> Rule:
    return Rule(
        "placeholder",
        pl.col("placeholder").is_not_null(),
        "messages with content",
        "fill the field, or remove the value from preprocess.quality.placeholders",
    )


def _repetition(limit: float) -> Rule:
    share = (pl.col("repetition") * 100).round(0).cast(pl.Int64)
    return Rule(
        "repetition",
        pl.col("repetition") > limit,
        f"at most {limit:.0%} of a message as one piece, {MIN_REPEATS} or more times "
        "in a row",
        "correct the row, or raise preprocess.quality.max_repetition (null: off)",
        pl.format("{} % of a message: {}", share, beginnings()),
    )


def _letters(least: float) -> Rule:
    shares = [
        pl.col(side).str.count_matches(r"\p{L}") / pl.col(side).str.len_chars()
        for side in SIDES
    ]
    noise = pl.min_horizontal(shares) < least
    return Rule(
        "no text",
        noise & (pl.max_horizontal(shares) >= LETTERS_OF_TEXT),
        f"letters as at least {least:.0%} of a side whose other side is text",
        "correct the row, or lower preprocess.quality.min_letters (null: off)",
    )


def _numbers() -> Rule:
    # 10,000 and 10 000 are both 10 and 000: the thousands separator does not matter.
    prompt, answer = (
        pl.col(side).str.extract_all(r"\d{2,}").list.unique().list.sort()
        for side in SIDES
    )
    return Rule(
        "numbers differ",
        prompt != answer,
        "the same numbers of two or more digits on both sides",
        "correct the row, or set preprocess.quality.same_numbers to false",
        pl.format(
            "{} and {}: {}", prompt.list.join(" "), answer.list.join(" "), beginnings()
        ),
    )


def _language(expected: dict[Side, str]) -> Rule:
    found = [pl.col(f"{side}_language") for side in expected]
    named = [
        pl.format(f"{side} is {{}}", column)
        for side, column in zip(expected, found, strict=True)
    ]
    shown = pl.concat_str(named, separator=", ", ignore_nulls=True)
    wanted = ", ".join(f"{side} in {tag}" for side, tag in expected.items())
    return Rule(
        "wrong language",
        pl.any_horizontal(column.is_not_null() for column in found),
        f"{wanted} (stratum: the language that the row's stratum names)",
        "correct the row (are the sides swapped, or left untranslated?), or correct "
        "preprocess.quality.language",
        pl.format("{}: {}", shown, beginnings()),
    )
