"""Simulate how often a true difference of 0 is called significant.

    python benchmarks/intervals.py [--trials 1000] [--numbers 8 20 50 200]

Differences of single examples are drawn from the named distribution, shifted to a mean
of 0. Each line has, for each kind of interval, the percentage of trials whose 95 %
interval excludes 0 (standard error of 1,000 trials: 0.7), and its median width.
"""

import argparse
from collections.abc import Callable, Mapping

import numpy as np

from graft.metrics.bootstrap import Array, Resamples, measure, resample
from graft.metrics.comparing import difference
from graft.metrics.statistics import mean

Draw = Callable[[np.random.Generator, int], Array]
DISTRIBUTIONS: Mapping[str, Draw] = {
    "normal": lambda g, n: g.normal(size=n),
    "t, 3 degrees": lambda g, n: g.standard_t(3, n),
    "-1, 0, 1": lambda g, n: g.integers(-1, 2, n) * 1.0,
    "-1, 0, 1; 80 % are 0": lambda g, n: g.choice([-1.0, 0, 1], n, p=[0.1, 0.8, 0.1]),
    "exponential": lambda g, n: g.exponential(size=n) - 1,
    "lognormal, sigma 0.5": lambda g, n: g.lognormal(0, 0.5, n) - np.exp(0.125),
    "lognormal, sigma 1": lambda g, n: g.lognormal(0, 1, n) - np.exp(0.5),
    "one in ten gains 9 losses": lambda g, n: np.where(g.random(n) < 0.1, 9.0, -1.0),
}
"""Of mean 0."""
GROUPED = "groups of 1 to 6, lognormal, sigma 0.5"


def intervals(values: Array, draws: Resamples) -> dict[str, tuple[float, float]]:
    """The 95 % intervals of a mean difference."""
    terms = np.stack([values, np.ones_like(values)], axis=1)
    zero, tuned = (measure(mean, t, draws) for t in (terms * [0.0, 1.0], terms))
    found = difference(zero, tuned, draws).difference
    low, high = np.percentile(tuned.values, [2.5, 97.5])
    return {
        "percentile": (float(low), float(high)),
        "expanded percentile": draws.bounds(tuned.values),
        "graft": (found.low, found.high),
    }


def simulate(name: str, number: int, trials: int) -> str:
    """A line with errors and median widths of each kind of interval."""
    generator = np.random.default_rng(number)
    outside: dict[str, list[bool]] = {}
    widths: dict[str, list[float]] = {}
    for trial in range(trials):
        if name == GROUPED:
            sizes = generator.integers(1, 7, number)
            effects = DISTRIBUTIONS["lognormal, sigma 0.5"](generator, number)
            values = np.repeat(effects, sizes) + 0.3 * generator.normal(
                size=sizes.sum()
            )
            labels = [str(i) for i in np.repeat(np.arange(number), sizes)]
        else:
            values, labels = DISTRIBUTIONS[name](generator, number), None
        draws = resample(len(values), 1000, trial, labels)
        for kind, (low, high) in intervals(values, draws).items():
            outside.setdefault(kind, []).append(low > 0 or high < 0)
            widths.setdefault(kind, []).append(high - low)
    cells = [
        f"{kind} {100 * np.mean(found):.1f} ({np.median(widths[kind]):.2f})"
        for kind, found in outside.items()
    ]
    return f"n = {number}, {name}: {', '.join(cells)}"


def main() -> None:
    """Simulate all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--numbers", type=int, nargs="+", default=[8, 20, 50, 200])
    args = parser.parse_args()
    for number in args.numbers:
        for name in (*DISTRIBUTIONS, GROUPED):
            print(simulate(name, number, args.trials), flush=True)


if __name__ == "__main__":
    main()
