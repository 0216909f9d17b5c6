"""The rows of `seeded_defects.py`: clean ones, and defects in known lines."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle

import polars as pl
from corpus import sentences
from defect_rows import LONGEST, Known, Make, Planted, Row, to_line

HELD_OUT = 10
"""Every tenth clean row is an official test or validation row."""
FEWEST_WORDS = 12
"""Words of a leaked text; n-grams of 8 words cannot find shorter ones."""
LOOKALIKES = (
    ("R&D costs rose by 3 < 5 > 2.", "La R&D coûte 3 < 5 > 2."),
    ("He said: “Tora! Tora! Tora!”", "Il dit : « Tora ! Tora ! Tora ! »"),
    ("Order 4111 1111 1111 1112 of 2019-03-14.", "Commande 4111 1111 1111 1112."),
    ("São Paulo, Ångström, ÀÉÎ, Nguyễn.", "São Paulo, Ångström, ÀÉÎ, Nguyễn."),
    ("We saw a family 👩‍👩‍👧 there…", "Une famille 👩‍👩‍👧 est là…"),
    ("Version 10.4.3 came at 14:30:15.", "La version 10.4.3 sort à 14 h 30."),
    ("I paid €1,234.56 – or £99 – for it.", "J’ai payé 1 234,56 € – ou 99 £."),
    ("No, no, no; very, very good.", "Non, non, non ; très, très bien."),
    ("if (a <b && c> d) return x[0];", "if (a <b && c> d) return x[0];"),
    ("A to-do list is null and void.", "Une liste todo est nulle et non avenue."),
)
"""Valid text that looks like a defect; a tenth of the clean rows ends with one."""
SHORT = (("Yes.", "Oui."), ("Go!", "Va !"), ("Why?", "Où ?"), ("Rome", "Rome !"))
Text = tuple[str, str]


@dataclass
class Corpus:
    """Lines of the file, and the expected outcome by line number, from 1."""

    lines: list[bytes] = field(default_factory=list)
    clean: dict[int, Row] = field(default_factory=dict)
    planted: dict[int, tuple[str, Planted]] = field(default_factory=dict)
    benchmark: list[str] = field(default_factory=list)


def make_corpus(rows: int, each: int, kinds: Mapping[str, Make], seed: int) -> Corpus:
    """Clean rows, with `each` defects of every kind among the last two thirds of them.

    Held-out rows share no sentence with other rows; these share at most one.
    """
    rng = random.Random(seed)
    known = _clean(sentences())
    rng.shuffle(known)
    num_held = 2 * rows // HELD_OUT + 2
    held, free = known[:num_held], known[num_held:]
    benchmark = [_join(*free[-3 * n - 3 : len(free) - 3 * n])[0] for n in range(each)]
    free = free[: len(free) - 3 * each]
    third = len(free) // 3
    fresh = map(_join, free, free[third:] + free[:third])
    clean = _clean_rows(rows, fresh, map(_join, held[::2], held[1::2]))
    early = clean[len(SHORT) : rows // 3]
    trains = cycle(row for row in early if row["set"] == "train")
    tests = cycle(row for row in early if row["set"] != "train" and _is_long(row))
    dirty = []
    for kind, make in kinds.items():
        for n in range(each):
            book = _join(*rng.sample(free, LONGEST // 25))
            around = Known(next(trains), next(tests), book, benchmark[n])
            dirty.append((kind, make(to_row(next(fresh)), n, around)))
    return _lay_out(clean, dirty, benchmark, rng)


def to_row(text: Text, split: str = "train") -> Row:
    """A row of the source."""
    facts = {"kind": "news", "set": split, "score": 0.5, "licence": "CC0"}
    return {"en": text[0], "fr": text[1], **facts}


def _clean(pairs: pl.DataFrame) -> list[Text]:
    """Pairs that are translated and have no invisible characters."""
    hidden = pl.any_horizontal(pl.col("en", "fr").str.contains(r"[\pC\x{fffd}]"))
    return list(pairs.filter(~hidden & (pl.col("en") != pl.col("fr"))).iter_rows())


def _clean_rows(rows: int, fresh: Iterator[Text], held: Iterator[Text]) -> list[Row]:
    clean = [to_row(text) for text in SHORT]
    for number in range(len(SHORT), rows):
        if number % HELD_OUT == 0:
            split = ("test", "validation")[number // HELD_OUT % 2]
            clean.append(to_row(next(held), split))
        elif number % HELD_OUT == 1:
            like = LOOKALIKES[number // HELD_OUT % len(LOOKALIKES)]
            clean.append(to_row(_join(next(fresh), like)))
        else:
            clean.append(to_row(next(fresh)))
    return clean


def _join(*texts: Text) -> Text:
    english, french = (" ".join(side) for side in zip(*texts, strict=True))
    return english, french


def _is_long(row: Row) -> bool:
    return len(row["en"].split()) >= FEWEST_WORDS


def _lay_out(
    clean: list[Row],
    dirty: list[tuple[str, Planted]],
    benchmark: list[str],
    rng: random.Random,
) -> Corpus:
    """Originals come before their copies, so that the copy is dropped."""
    corpus = Corpus(benchmark=benchmark)
    first = len(clean) // 3
    mixed: list[Row | tuple[str, Planted]] = [*clean[first:], *dirty]
    rng.shuffle(mixed)
    for number, item in enumerate([*clean[:first], *mixed], 1):
        if isinstance(item, tuple):
            corpus.planted[number] = item
            corpus.lines.append(item[1].line)
        else:
            corpus.clean[number] = item
            corpus.lines.append(to_line(item))
    return corpus
