"""Kinds of defects for which a stage rejects a row."""

import json

from defect_rows import LONGEST, Known, Make, Row, rejected, to_line

FOREIGN = (
    (
        "Die alte Frau ging gestern mit ihrem Hund durch den Wald",
        "und kaufte danach frisches Brot.",
    ),
    (
        "Mi hermana quiere comprar una casa blanca cerca de la playa",
        "y pintar todas las puertas.",
    ),
    (
        "Il vecchio pescatore tornava sempre stanco dal lago",
        "con molte storie da raccontare.",
    ),
    (
        "De kinderen speelden elke dag na school in het park",
        "en dronken daarna warme melk.",
    ),
)
NOTHING_SAID = ("N/A", "#REF!", "[deleted]", "null", "TODO")
MANY = 2000
"""Characters on each side that exceed the tokens of a sequence."""


def _cut(row: Row, n: int, known: Known) -> bytes:
    del known
    line = to_line(row)
    return line[: len(line) // 2 - n % 7]


def _bad_bytes(row: Row, n: int, known: Known) -> bytes:
    del known
    return to_line(row).replace(row["fr"].encode(), b"Un caf\xe9 %d" % n)


def _half_character(row: Row, n: int, known: Known) -> bytes:
    del known
    return json.dumps(row | {"fr": f"{n} \ud83d"}).encode()


def _no_field(row: Row, n: int, known: Known) -> Row:
    del n, known
    return {name: value for name, value in row.items() if name != "fr"}


def _foreign(row: Row, n: int, known: Known) -> Row:
    del known
    first, second = FOREIGN[n % len(FOREIGN)]
    return row | {"fr": f"{first}, {n} {second}"}


def _long(row: Row, known: Known, size: int) -> Row:
    return row | {"en": known.book[0][:size], "fr": known.book[1][:size]}


def _in_train(row: Row, **changes: str) -> Row:
    return row | changes | {"set": "train"}


CONVERT: dict[str, Make] = {
    kind: rejected("convert", reason, change)
    for kind, reason, change in (
        ("broken JSON", "broken JSON", _cut),
        ("no object", "not an object", lambda r, n, k: json.dumps([r["en"]]).encode()),
        ("bytes that are no UTF-8", "bad bytes", _bad_bytes),
        ("half a character", "bad bytes", _half_character),
        ("missing field", "missing field fr", _no_field),
        ("null", "missing field en", lambda r, n, k: r | {"en": None}),
        ("number for a text", "wrong type in fr", lambda r, n, k: r | {"fr": n}),
        ("list for a text", "wrong type in en", lambda r, n, k: r | {"en": [r["en"]]}),
        ("empty", "empty field fr", lambda r, n, k: r | {"fr": ""}),
        ("blanks", "empty field en", lambda r, n, k: r | {"en": " \t\u00a0" * (n + 1)}),
        ("out of range", "score out of range", lambda r, n, k: r | {"score": 1.5 + n}),
        ("no number", "no number in score", lambda r, n, k: r | {"score": "high"}),
        ("unknown stratum", "unknown stratum", lambda r, n, k: r | {"kind": f"x{n}"}),
        (
            "required empty",
            "missing field licence",
            lambda r, n, k: r | {"licence": ""},
        ),
        ("unknown split", "unknown split in set", lambda r, n, k: r | {"set": "dev"}),
    )
}

PREPROCESS: dict[str, Make] = {
    kind: rejected("preprocess", reason, change)
    for kind, reason, change in (
        (
            "lost characters",
            "lost characters",
            lambda r, n, k: r | {"fr": f"{r['fr']} \ufffdt\ufffd"},
        ),
        (
            "nothing visible",
            "too short",
            lambda r, n, k: r | {"en": "\u200b" * (n + 1)},
        ),
        ("too short", "too short", lambda r, n, k: r | {"fr": chr(97 + n % 26)}),
        ("too long", "too long", lambda r, n, k: _long(r, k, LONGEST + 1 + n)),
        ("identical sides", "identical sides", lambda r, n, k: r | {"fr": r["en"]}),
        (
            "identical but for blanks",
            "identical sides",
            lambda r, n, k: r | {"fr": f" {r['en']}\u200b "},
        ),
        ("length ratio", "length ratio", lambda r, n, k: r | {"fr": f"Oui {n}."}),
        (
            "repetition",
            "repetition",
            lambda r, n, k: r | {"fr": f"le chat {n} dort " * 6},
        ),
        (
            "placeholder",
            "placeholder",
            lambda r, n, k: r | {"en": f"To do {n}", "fr": NOTHING_SAID[n % 5]},
        ),
        ("foreign answer", "wrong language", _foreign),
        (
            "swapped sides",
            "wrong language",
            lambda r, n, k: r | {"en": r["fr"], "fr": r["en"]},
        ),
        ("untranslated", "wrong language", lambda r, n, k: r | {"fr": k.book[0][:90]}),
        ("duplicate", "duplicate", lambda r, n, k: k.train),
        (
            "duplicate once repaired",
            "duplicate",
            lambda r, n, k: k.train | {"en": f"<p>{k.train['en']}</p>\u200b"},
        ),
        (
            "near-duplicate",
            "near-duplicate",
            lambda r, n, k: k.train | {"en": k.train["en"] + " Yes."},
        ),
        ("test row in train", "duplicate", lambda r, n, k: _in_train(k.held_out)),
        (
            "test row in train, a word more",
            "near-duplicate",
            lambda r, n, k: _in_train(k.held_out, fr=k.held_out["fr"] + " Oui."),
        ),
    )
}

LEAKS = "overlaps held-out data"
LATER: dict[str, Make] = {
    "control token": rejected(
        "tokenize",
        "a user turn contains the control token",
        lambda r, n, k: r | {"en": r["en"] + (" [INST]", " [/INST]")[n % 2]},
    ),
    "too many tokens": rejected(
        "tokenize", "too long", lambda r, n, k: _long(r, k, MANY + n)
    ),
    "test prompt in train": rejected(
        "split", LEAKS, lambda r, n, k: _in_train(r, en=k.held_out["en"])
    ),
    "test prompt within train": rejected(
        "split",
        LEAKS,
        lambda r, n, k: _in_train(r, en=f"{k.held_out['en']} {r['en']}"),
    ),
    "benchmark's text in train": rejected(
        "split", LEAKS, lambda r, n, k: r | {"en": f"{r['en']} {k.benchmark}"}
    ),
}

REJECTS = CONVERT | PREPROCESS | LATER
"""Name → function that makes a row of the kind."""
