"""Writes data/sample/pairs.jsonl: about 20,000 English-French pairs from a grammar.

The same seed gives the same bytes. `python scripts/make_sample.py --out FILE`
"""

import argparse
from pathlib import Path
from random import Random

from sample.dirt import COUNTS, Row, mojibake, spoiled_lines, to_line
from sample.grammar import sentence
from sample.heldout import any_held_out, words
from sample.sentences import Sentence

SEED = 20
NUM_TRAIN = 19_000
NUM_TEST = 900
DEFAULT_PATH = Path(__file__).parents[1] / "data/sample/pairs.jsonl"


def draw_train(rng: Random, count: int) -> list[Sentence]:
    """Distinct sentences without a held-out combination."""
    found: dict[str, Sentence] = {}
    while len(found) < count:
        new = sentence(rng)
        if not any_held_out(new.pairs):
            found.setdefault(new.en, new)
    return list(found.values())


def draw_test(rng: Random, count: int, train: list[Sentence]) -> list[Sentence]:
    """Distinct sentences with a held-out combination, every word known from train."""
    english = set().union(*(words(pair.en) for pair in train))
    french = set().union(*(words(pair.fr) for pair in train))
    found: dict[str, Sentence] = {}
    while len(found) < count:
        new = sentence(rng)
        known = words(new.en) <= english and words(new.fr) <= french
        if known and any_held_out(new.pairs):
            found.setdefault(new.en, new)
    return list(found.values())


def to_rows(sentences: list[Sentence], split: str) -> list[Row]:
    """Sentences as rows of the file."""
    return [
        {"en": s.en, "fr": s.fr, "stratum": s.stratum, "split": split}
        for s in sentences
    ]


def build_lines(
    seed: int = SEED, num_train: int = NUM_TRAIN, num_test: int = NUM_TEST
) -> list[str]:
    """All lines: train with its faults in random order, then test."""
    rng = Random(seed)
    num_spoiled = sum(COUNTS.values()) - COUNTS["duplicate"]
    train = draw_train(rng, num_train + num_spoiled)
    clean = to_rows(train[:num_train], "train")
    fresh = to_rows(train[num_train:], "train")
    # Mojibake is the first fault that takes fresh rows, and it needs an accent.
    fresh.sort(key=lambda row: mojibake(row["fr"]) == row["fr"])
    lines = [to_line(row) for row in clean] + spoiled_lines(fresh, clean, rng)
    rng.shuffle(lines)
    test = draw_test(rng, num_test, train[:num_train])
    return lines + [to_line(row) for row in to_rows(test, "test")]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DEFAULT_PATH)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    lines = build_lines(args.seed)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{args.out}: {len(lines):,} rows, {args.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
