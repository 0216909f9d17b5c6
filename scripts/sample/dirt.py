"""Deliberate faults for the train rows, as real corpora have them.

`COUNTS` says how many rows of each; the data stages are tested against it.
"""

import json
from collections.abc import Callable
from random import Random

Row = dict[str, str]

COUNTS = {
    "duplicate": 120,  # the same row again
    "mojibake": 60,  # UTF-8 read as cp1252
    "html": 60,  # tags and entities
    "control": 30,  # control characters
    "whitespace": 40,  # doubled, leading, trailing, no-break
    "email": 12,  # an address on both sides
    "empty_side": 15,
    "missing_field": 10,
    "broken_json": 1,
    "identical_sides": 20,
    "length_ratio": 10,  # one side eight times too long
}
_HTML: tuple[Callable[[str], str], ...] = (
    lambda text: f"<b>{text}</b>",
    lambda text: text.replace(" ", "&nbsp;", 1),
    lambda text: f"{text}<br/>",
    lambda text: f"&quot;{text}&quot;",
)
_ADDRESSES = ("claire.martin@example.org", "paul_42@mail.example.com")


def mojibake(text: str) -> str:
    """UTF-8 bytes read in a Western code page: é → Ã©."""
    raw = text.encode()
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _spoil(row: Row, kind: str, rng: Random) -> Row:
    en, fr = row["en"], row["fr"]
    wrap, address = rng.choice(_HTML), rng.choice(_ADDRESSES)
    faults: dict[str, Row] = {
        "mojibake": {"fr": mojibake(fr)},
        "html": {"en": wrap(en), "fr": wrap(fr)},
        "control": {"en": en[:3] + "\x07" + en[3:], "fr": fr + "\u200b\x00"},
        "whitespace": {
            "en": "  " + en.replace(" ", "   ", 2),
            "fr": fr + " \t\u00a0",
        },
        "email": {"en": f"{en} ({address})", "fr": f"{fr} ({address})"},
        "empty_side": {rng.choice(("en", "fr")): rng.choice(("", " "))},
        "identical_sides": {"fr": en},
        "length_ratio": {"fr": " ".join([fr] * 8)},
    }
    spoiled = row | faults.get(kind, {})
    if kind == "missing_field":
        del spoiled["fr"]
    return spoiled


def to_line(row: Row) -> str:
    """One row as a line of JSON, letters as they are."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def spoiled_lines(rows: list[Row], clean: list[Row], rng: Random) -> list[str]:
    """Lines with the faults of COUNTS.

    Args:
        rows: fresh rows to spoil; as many as COUNTS asks for, duplicates apart.
        clean: the rows of which some come a second time.
    """
    lines = [to_line(row) for row in rng.sample(clean, COUNTS["duplicate"])]
    fresh = iter(rows)
    for kind, count in COUNTS.items():
        if kind == "duplicate":
            continue
        for _ in range(count):
            row = next(fresh)
            if kind == "broken_json":
                lines.append(to_line(row)[:-20])
            else:
                lines.append(to_line(_spoil(row, kind, rng)))
    return lines
