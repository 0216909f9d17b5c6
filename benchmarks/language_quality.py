"""Measure speed of `preprocess.quality` on synthetic rows, and errors on real pairs.

    POLARS_MAX_THREADS=1 python benchmarks/language_quality.py [--pairs DIR]

DIR has two aligned files, NAME.en and NAME.fr. Prints rows/s (best of three; on one
core with that variable), and how many correct, swapped and untranslated pairs the
language rule drops.
"""

import argparse
import random
import time
from pathlib import Path

import polars as pl

from graft.config.quality import LanguageConfig, QualityConfig
from graft.data.preprocess.quality import measure, quality_rules
from graft.data.turns import sides, unfold

ROWS, BATCH = 1_000_000, 16_384
ENGLISH = (
    "the a of on old river house seven people were near every market morning bread and "
    "quickly with small bridge garden walked carried letter winter many between"
)
FRENCH = (
    "le la de sur vieux fleuve maison sept gens étaient près chaque marché matin pain "
    "et vite avec petit pont jardin marchait portait lettre hiver beaucoup entre"
)
LANGUAGE = LanguageConfig(
    expected={"user": "en", "assistant": "fr"}, min_bytes=12, min_margin=0.15
)
QUALITY = QualityConfig(
    max_repetition=0.5,
    placeholders=["lorem ipsum*", "n/a", "null", "todo", "[deleted]", "#REF!"],
    lost_characters="drop",
    min_letters=None,
    same_numbers=False,
    language=None,
)


def conversations(users: list[str], assistants: list[str]) -> pl.DataFrame:
    """A batch of pairs."""
    prompts = [{"role": "user", "content": text} for text in users]
    answers = [{"role": "assistant", "content": text} for text in assistants]
    pairs = [list(pair) for pair in zip(prompts, answers, strict=True)]
    return pl.DataFrame({"messages": pairs})


def dropped(batch: pl.DataFrame, config: QualityConfig) -> int:
    """Number of rows of a batch that a rule drops."""
    turns = unfold(batch)
    return marked(sides(turns), turns, config)


def marked(texts: pl.DataFrame, turns: pl.DataFrame, config: QualityConfig) -> int:
    """Number of rows that a rule drops; this is timed."""
    strata = pl.repeat("all", texts.height, eager=True)
    texts = measure(texts, turns, strata, config)
    chosen = quality_rules(config)
    reason = pl.coalesce(*(pl.when(r.drops).then(pl.lit(r.reason)) for r in chosen))
    lost = texts.with_columns(reason=reason).filter(pl.col("reason").is_not_null())
    lost.select(pl.coalesce(*(pl.when(r.drops).then(r.value) for r in chosen)))
    return lost.height


def rows_per_second(config: QualityConfig) -> float:
    """Rows per second over one million rows, in batches, without unfolding."""
    draw = random.Random(1)

    def sentences(words: str) -> list[str]:
        known = words.split()
        return [
            " ".join(draw.choices(known, k=draw.randint(4, 14))) for _ in range(BATCH)
        ]

    turns = unfold(conversations(sentences(ENGLISH), sentences(FRENCH)))
    texts = sides(turns)
    took = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(ROWS // BATCH):
            marked(texts, turns, config)
        took.append(time.perf_counter() - start)
    return ROWS // BATCH * BATCH / min(took)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path)
    pairs = parser.parse_args().pairs
    alone = QUALITY.model_copy(update={"language": LANGUAGE, "max_repetition": None})
    every = {"language": LANGUAGE, "min_letters": 0.2, "same_numbers": True}
    for name, config in (
        ("without language", QUALITY),
        ("with language", QUALITY.model_copy(update={"language": LANGUAGE})),
        ("language, no repetition", alone),
        ("every rule", QUALITY.model_copy(update=every)),
    ):
        print(f"{name}: {rows_per_second(config):,.0f} rows/s")
    if pairs is None:
        return
    english, french = (
        next(pairs.glob(f"*.{code}")).read_text(encoding="utf-8").splitlines()
        for code in ("en", "fr")
    )
    config = QUALITY.model_copy(update={"language": LANGUAGE})
    for name, users, assistants in (
        ("right", english, french),
        ("swapped", french, english),
        ("untranslated", english, english),
    ):
        found = dropped(conversations(users, assistants), config)
        print(f"{name}: {found} of {len(users)} dropped")


if __name__ == "__main__":
    main()
