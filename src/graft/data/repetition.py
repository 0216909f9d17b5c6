"""Texts that say one thing over and over: `ha ha ha …`, a line ten times, `!!!!!!`.

A run that fills over half of a text holds its middle. So a short piece there either
comes back in the text, or there is no such run: one native search clears most texts.
"""

import re

import polars as pl

MIN_REPEATS = 5
"""`Tora! Tora! Tora!` is speech; runs of so many are not."""
MIN_RUN = 12
"""Characters of the shortest run that counts."""
_PLACES = 20  # other places of the piece that are tried, nearest first


def repetition(texts: pl.Series) -> pl.Series:
    """Share of each text that is one piece said again and again; shape [texts].

    A share up to one half is 0: the middle does not see it. So is a run of digits,
    which may be a number.
    """
    size, text = pl.col("text").str.len_chars(), pl.col("text")
    width = (size // 16).clip(4, 32)
    piece = text.str.slice(size // 2 - width // 2, width)
    again = (size >= MIN_RUN) & (text.str.count_matches(piece, literal=True) > 1)
    suspects = texts.to_frame("text").select(again.fill_null(False)).to_series()
    places = suspects.arg_true()
    shares = pl.Series(
        [_share(text) for text in texts.gather(places)], dtype=pl.Float64
    )
    return pl.zeros(len(texts), pl.Float64, eager=True).scatter(places, shares)


def _share(text: str) -> float:
    width = min(max(len(text) // 16, 4), 32)
    start = len(text) // 2 - width // 2
    piece = re.escape(text[start : start + width])
    places = [found.start() for found in re.finditer(f"(?={piece})", text)]
    places.remove(start)
    nearest = sorted(places, key=lambda place: abs(place - start))[:_PLACES]
    return max((_run(text, start, at, width) for at in nearest), default=0.0)


def _run(text: str, start: int, at: int, width: int) -> float:
    """Share of the run whose period is the distance of two equal pieces."""
    period = abs(at - start)
    low, high = min(start, at), max(start, at) + width
    while low and text[low - 1] == text[low - 1 + period]:
        low -= 1
    while high < len(text) and text[high] == text[high - period]:
        high += 1
    length = high - low
    is_run = length >= MIN_RUN and length >= MIN_REPEATS * period
    if not is_run or text[low : low + period].isdigit():
        return 0.0
    share = length / len(text)
    return share if share > 0.5 else 0.0
