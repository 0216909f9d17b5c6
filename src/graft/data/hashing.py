"""Digests of columns of text, the same on every machine and for ever."""

import polars as pl


def digest(texts: pl.Series) -> pl.Series:
    """SHA-256 of each text as UTF-8: its first 16 hex digits. Shape [texts].

    Names, groups and splits hang on it. Native: 0.8 µs a text, 2.7 µs by hashlib.
    """
    import polars_hash

    return texts.to_frame("text").select(
        polars_hash.col("text").chash.sha2_256().str.slice(0, 16)
    )["text"]
