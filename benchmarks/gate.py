"""Simulate how often the gate promotes a challenger that is no better.

    python benchmarks/gate.py [--trials 1000] [--numbers 50 200 900] [--seed 0]
        [--metrics bleu answer_f1] [--sweeps 300]

Both systems answer by one distribution, so every promotion is a false one: with 1,000
trials, a share of 2.5 % has a standard error of 0.5 points. A sweep attempts 8 equal
variants on one test set; it counts if any is promoted, `best` if the best of the 8 is,
when it alone is attempted. How often better challengers are promoted:
benchmarks/gate_power.py.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

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
HOPELESS = 1.7
"""A gain of fewer standard errors is never promoted: the exact answer is not computed,
which saves nine of ten decisions."""
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

    def draw(
        self, generator: Generator, number: int, systems: int = 2, same: float = SAME
    ) -> Array:
        """Answers of equal systems to the same examples: [systems, number, terms].

        Each answers the share `same` of the examples as the first one does.
        """
        rows = generator.integers(len(self.terms[0]), size=number)
        answers = generator.integers(len(self.terms), size=(systems, number))
        equal = generator.random((systems, number)) < same
        drawn: Array = self.terms[np.where(equal, answers[0], answers), rows]
        return drawn

    def pair(self, generator: Generator, number: int) -> tuple[Array, Array]:
        """Answers of two equal systems."""
        champion, challenger = self.draw(generator, number)
        return champion, challenger


def skewed(generator: Generator, number: int) -> tuple[Array, Array]:
    """One in ten examples gains nine losses of the others."""
    values = np.where(generator.random(number) < 0.1, 9.0, -1.0)
    return averaged(0 * values), averaged(values)


def lognormal(generator: Generator, number: int) -> tuple[Array, Array]:
    """Losses with a long tail, and a mean gain of 0."""
    values = generator.lognormal(0, 1, number) - np.exp(0.5)
    return averaged(0 * values), averaged(-values)


def exact_match(generator: Generator, number: int) -> tuple[Array, Array]:
    """Right or wrong, and equal in nine of ten examples."""
    champion = (generator.random(number) < 0.7) * 1.0
    other = (generator.random(number) < 0.7) * 1.0
    return averaged(champion), averaged(
        np.where(generator.random(number) < 0.1, other, champion)
    )


def gain(metric: Metric, pair: tuple[Array, Array]) -> float:
    """How much better the challenger is than the champion."""
    before, after = (float(metric.value(terms.sum(axis=0))) for terms in pair)
    return before - after if metric.better == "lower" else after - before


def standard_errors(metric: Metric, pair: tuple[Array, Array]) -> float:
    """The gain in standard errors of the jackknife."""
    before, after = (metric.value(terms.sum(axis=0) - terms) for terms in pair)
    error = float(np.std(after - before)) * len(pair[0]) ** 0.5
    return gain(metric, pair) / error if error else 0.0


def promotes(
    metric: Metric,
    pair: tuple[Array, Array],
    seed: int,
    number: int = 1,
    num_unused: int = 0,
    hopeless: float = HOPELESS,
) -> bool:
    """Whether the gate promotes the challenger at its attempt of this number."""
    if standard_errors(metric, pair) < hopeless:
        return False
    attempt = next_attempt([0.0] * (number - 1), num_unused, MAX_ATTEMPTS)
    groups = [str(row) for row in range(len(pair[0]))]
    contrast = Contrast(metric, *pair, groups, seed)
    return check_gain(contrast, 0.0, attempt, NUM_RESAMPLES).passed


def rate(metric: Metric, draw: Draw, number: int, trials: int, seed: int) -> float:
    """Percentage of first attempts that are promoted."""
    generator = np.random.default_rng([seed, number])
    found = [promotes(metric, draw(generator, number), t) for t in range(trials)]
    return 100 * float(np.mean(found))


def sweep(
    metric: Metric, pool: Pool, number: int, trials: int, seed: int
) -> tuple[float, float]:
    """Percentages of sweeps of equal variants in which any is promoted: if each is
    attempted, and if only the best is."""
    generator = np.random.default_rng([seed, number])
    any_promoted, best_promoted = 0, 0
    for trial in range(trials):
        champion, *variants = pool.draw(generator, number, NUM_VARIANTS + 1)
        any_promoted += any(
            promotes(metric, (champion, variant), trial, attempt)
            for attempt, variant in enumerate(variants, 1)
        )
        gains = [gain(metric, (champion, one)) for one in variants]
        best = variants[int(np.argmax(gains))]
        best_promoted += promotes(
            metric, (champion, best), trial, num_unused=NUM_VARIANTS - 1
        )
    return 100 * any_promoted / trials, 100 * best_promoted / trials


def null_draws(
    pools: Mapping[str, Pool],
) -> Iterator[tuple[str, Metric, Draw]]:
    """Name, metric and pairs without a true gain."""
    for name, pool in pools.items():
        yield METRICS[name].title, METRICS[name], pool.pair
    average = Metric("mean", "mean", lambda segments: (np.empty(0), ""), mean)
    yield "exact match, nine of ten equal", average, exact_match
    yield "one in ten gains 9 losses", average, skewed
    yield "log-normal losses", average, lognormal


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each simulation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--sweeps", type=int, default=300)
    parser.add_argument("--numbers", type=int, nargs="+", default=[50, 200, 900])
    parser.add_argument("--metrics", nargs="+", default=["bleu", "answer_f1"])
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    pools = {name: Pool(METRICS[name]) for name in args.metrics}
    for number in args.numbers:
        for title, metric, draw in null_draws(pools):
            began = time.process_time()
            found = rate(metric, draw, number, args.trials, args.seed)
            took = time.process_time() - began
            print(f"n = {number}, {title}: {found:.1f} % ({took:.0f} s)", flush=True)
        for name, pool in pools.items():
            began = time.process_time()
            each, best = sweep(METRICS[name], pool, number, args.sweeps, args.seed)
            took = time.process_time() - began
            print(
                f"n = {number}, {METRICS[name].title}, sweep: {each:.1f} %, best: "
                f"{best:.1f} % ({took:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
