"""Simulate how often the gate promotes: without a true gain, and with one.

    python benchmarks/gate.py [--trials 1000] [--numbers 50 200 900]

Both systems answer by one distribution, so every promotion is a false one: with 1,000
trials, a share of 2.5 % has a standard error of 0.5 points. `power` adds 2 BLEU to the
challenger. `sweep` attempts 8 equal variants on one test set, and counts the sweeps
that promote any; `best` attempts only the best of the 8.
"""

import argparse
import time
from collections.abc import Callable, Mapping

import numpy as np

from graft.metrics import METRICS, Metric, Segments
from graft.metrics.bootstrap import Array
from graft.metrics.contrast import Contrast
from graft.metrics.statistics import averaged, mean
from graft.registry.attempts import next_attempt
from graft.registry.gain import check_gain

WORDS = [f"w{number}" for number in range(400)]
POOL, ANSWERS = 1500, 8
"""References, and answers of one system to each, from which examples are drawn."""
SAME = 0.4
"""Share of examples that both systems answer equally, as variants of one base do."""
NUM_VARIANTS, MAX_ATTEMPTS, NUM_RESAMPLES = 8, 20, 50_000
GAIN = 2.0
Generator = np.random.Generator
Draw = Callable[[Generator, int], tuple[Array, Array]]
"""Generator, number of examples → terms of champion and challenger."""


def answer(words: list[str], error: float, generator: Generator) -> str:
    """A reference in which each word is replaced with the probability `error`."""
    wrong = generator.random(len(words)) < error
    other = generator.choice(WORDS, len(words))
    return " ".join(np.where(wrong, other, words))


class Pool:
    """Terms of a metric for answers of one distribution, shape [answers, pool, terms].

    Examples differ in length and difficulty.
    """

    def __init__(self, metric: Metric, easier: float = 0.0) -> None:
        generator = np.random.default_rng(1)
        lengths = generator.integers(4, 30, POOL)
        texts = [list(generator.choice(WORDS, length)) for length in lengths]
        errors = generator.beta(1.2, 3.0, POOL)
        self.terms = np.stack(
            [
                metric.statistics(
                    Segments(
                        [
                            answer(words, error * (1 - easier), generator)
                            for words, error in zip(texts, errors, strict=True)
                        ],
                        [[" ".join(words)] for words in texts],
                        ["all"] * POOL,
                    )
                )[0]
                for _ in range(ANSWERS)
            ]
        )
        self.value = float(metric.value(self.terms.mean(axis=0).sum(axis=0)))


def from_pool(pool: Pool, better: Pool | None = None, share: float = 0.0) -> Draw:
    """Answers to the same examples; `share` of the challenger's are of `better`."""

    def draw(generator: Generator, number: int) -> tuple[Array, Array]:
        rows = generator.integers(POOL, size=number)
        mine, other = generator.integers(ANSWERS, size=(2, number))
        other = np.where(generator.random(number) < SAME, mine, other)
        champion, challenger = pool.terms[mine, rows], pool.terms[other, rows]
        if better is not None:
            chosen = generator.random(number) < share
            challenger = np.where(
                chosen[:, None], better.terms[other, rows], challenger
            )
        return champion, challenger

    return draw


def skewed(generator: Generator, number: int) -> tuple[Array, Array]:
    """One in ten examples gains nine losses of the others."""
    values = np.where(generator.random(number) < 0.1, 9.0, -1.0)
    return averaged(0 * values), averaged(values)


def lognormal(generator: Generator, number: int) -> tuple[Array, Array]:
    """Gains with a long tail, and a mean of 0."""
    values = generator.lognormal(0, 1, number) - np.exp(0.5)
    return averaged(0 * values), averaged(-values)


def exact_match(generator: Generator, number: int) -> tuple[Array, Array]:
    """Right or wrong, and equal in nine of ten examples."""
    champion = (generator.random(number) < 0.7) * 1.0
    other = (generator.random(number) < 0.7) * 1.0
    return averaged(champion), averaged(
        np.where(generator.random(number) < 0.1, other, champion)
    )


def promotes(
    metric: Metric,
    pair: tuple[Array, Array],
    seed: int,
    number: int = 1,
    num_unused: int = 0,
) -> bool:
    """Whether the gate promotes the challenger at its attempt of this number."""
    attempt = next_attempt([0.0] * (number - 1), num_unused, MAX_ATTEMPTS)
    groups = [str(row) for row in range(len(pair[0]))]
    contrast = Contrast(metric, *pair, groups, seed)
    return check_gain(contrast, 0.0, attempt, NUM_RESAMPLES).passed


def rate(metric: Metric, draw: Draw, number: int, trials: int) -> float:
    """Percentage of first attempts that are promoted."""
    generator = np.random.default_rng(number)
    found = [promotes(metric, draw(generator, number), t) for t in range(trials)]
    return 100 * float(np.mean(found))


def sweep(pool: Pool, metric: Metric, number: int, trials: int) -> tuple[float, float]:
    """Percentages of sweeps of equal variants in which any is promoted: if each is
    attempted, and if only the best is."""
    generator = np.random.default_rng(number)
    any_promoted, best_promoted = 0, 0
    for trial in range(trials):
        rows = generator.integers(POOL, size=number)
        answers = generator.integers(ANSWERS, size=(NUM_VARIANTS + 1, number))
        champion, *variants = (pool.terms[one, rows] for one in answers)
        any_promoted += any(
            promotes(metric, (champion, variant), trial, attempt)
            for attempt, variant in enumerate(variants, 1)
        )
        best = max(variants, key=lambda terms: float(metric.value(terms.sum(axis=0))))
        best_promoted += promotes(
            metric, (champion, best), trial, num_unused=NUM_VARIANTS - 1
        )
    return 100 * any_promoted / trials, 100 * best_promoted / trials


def main() -> None:
    """Print a line for each simulation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--numbers", type=int, nargs="+", default=[50, 200, 900])
    args = parser.parse_args()
    bleu, f1 = METRICS["bleu"], METRICS["answer_f1"]
    average = Metric("mean", "mean", lambda segments: (np.empty(0), ""), mean)
    pool = Pool(bleu)
    draws: Mapping[str, tuple[Metric, Draw]] = {
        "BLEU": (bleu, from_pool(pool)),
        "token F1": (f1, from_pool(Pool(f1))),
        "exact match, nine of ten equal": (average, exact_match),
        "one in ten gains 9 losses": (average, skewed),
        "lognormal losses": (average, lognormal),
    }
    for number in args.numbers:
        for name, (metric, draw) in draws.items():
            began = time.monotonic()
            found = rate(metric, draw, number, args.trials)
            each = (time.monotonic() - began) / args.trials
            print(
                f"n = {number}, {name}: {found:.1f} % ({each:.2f} s each)", flush=True
            )
    for number in args.numbers:
        attempted, best = sweep(pool, bleu, number, args.trials // 4)
        print(f"n = {number}, sweep: {attempted:.1f} %, best: {best:.1f} %", flush=True)
    better = Pool(bleu, easier=0.5)
    share = GAIN / (better.value - pool.value)
    power = rate(bleu, from_pool(pool, better, share), 900, args.trials)
    print(f"n = 900, +{GAIN:g} BLEU of {pool.value:.1f}: {power:.1f} %")


if __name__ == "__main__":
    main()
