"""Repetitive texts: `ha ha ha …`, a line ten times, `!!!!!!`.

A run that fills over half of a text covers its middle. So unless a short piece from the
middle occurs again, there is no such run: one native search clears most texts.
"""

import polars as pl

MIN_REPEATS = 5
"""`Tora! Tora! Tora!` is speech; runs of this many repeats are not."""
MIN_RUN = 12
"""Characters of the shortest run that counts."""
_PLACES = 20  # number of other occurrences of the piece that are tried


def repetition(texts: pl.Series) -> pl.Series:
    """Share of each text that is a run of one repeated piece. Shape [texts].

    Shares up to one half count as 0, since such a run may miss the middle. So does a
    run of digits, which may be a number.
    """
    # In steps, since one expression would count the characters five times.
    frame = texts.to_frame("text").with_columns(size=pl.col("text").str.len_chars())
    width = (pl.col("size") // 16).clip(4, 32)
    frame = frame.with_columns(
        width=width, start=pl.col("size").cast(pl.Int64) // 2 - width // 2
    )
    piece = pl.col("text").str.slice("start", "width")
    again = pl.col("text").str.count_matches(piece, literal=True) > 1
    long_enough = pl.col("size") >= MIN_RUN
    suspects = frame.select((long_enough & again).fill_null(False)).to_series()
    places = suspects.arg_true()
    shares = pl.Series(
        [_share(text) for text in texts.gather(places)], dtype=pl.Float64
    )
    return pl.zeros(len(texts), pl.Float64, eager=True).scatter(places, shares)


def _share(text: str) -> float:
    width = min(max(len(text) // 16, 4), 32)
    start = len(text) // 2 - width // 2
    piece = text[start : start + width]
    # In a run of five repeats the piece occurs again within a fifth of the text.
    far = len(text) // MIN_REPEATS
    low, high = max(start - far, 0), start + far + width
    shares, at = [0.0], text.find(piece, low, high)
    while at >= 0 and len(shares) <= _PLACES:
        if at != start:
            shares.append(_run(text, start, at, width))
        at = text.find(piece, at + 1, high)
    return max(shares)


def _run(text: str, start: int, at: int, width: int) -> float:
    """Share of the run whose period is the distance between two equal pieces."""
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
