"""Simulate how often the gate promotes a challenger with 2 more points of BLEU.

    python benchmarks/gate_power.py [--trials 400] [--numbers 450 900 1800]
    python benchmarks/gate_power.py --equal RUN1 RUN2 [--better RUN3]

The first form draws synthetic answers, of which a share is equal in both systems. The
second draws examples and answers from real predictions: each RUN is the folder
`predictions` of a run of the pipeline on the same test split. RUN1 and RUN2 are equal
systems, such as two seeds, or twice the same run; a share of the challenger's answers
is RUN3's, or else the reference, so that the expected gain is 2 points.
Each line has, besides the share of promoted challengers, the
standard error of the gain, and the share whose gain exceeds 1.96 of its own standard
errors (jackknife), as a plain test of the same error rate would promote them.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from gate import Generator, Pool, gain, promotes, standard_errors
from scipy.stats import norm

from graft.evaluation.scoring import to_segments
from graft.inference.generated import TABLE, read_prediction_table
from graft.metrics import METRICS
from graft.metrics.bootstrap import Array
from graft.registry.attempts import FIRST

BLEU = METRICS["bleu"]
GAIN = 2.0
Draw = Callable[[Generator, int], tuple[Array, Array]]


def synthetic(pool: Pool, better: Pool, same: float) -> Draw:
    """Answers of `pool`; a share of the challenger's is of `better`."""
    share = GAIN / (better.value - pool.value)

    def draw(generator: Generator, number: int) -> tuple[Array, Array]:
        rows = generator.integers(len(pool.terms[0]), size=number)
        mine, other = generator.integers(len(pool.terms), size=(2, number))
        other = np.where(generator.random(number) < same, mine, other)
        is_better = generator.random(number) < share
        challenger = np.where(
            is_better[:, None], better.terms[other, rows], pool.terms[other, rows]
        )
        return pool.terms[mine, rows], challenger

    return draw


def real(equal: Sequence[Path], better: Path | None, gain_: float) -> tuple[Draw, str]:
    """Pairs of the runs' answers, and what they have in common."""
    tables = [
        sorted(read_prediction_table(run / TABLE), key=lambda row: row.id)
        for run in (*equal, better or equal[0])
    ]
    if not better:
        tables[2] = [replace(row, tuned=row.references[0]) for row in tables[2]]
    if len({tuple(row.id for row in table) for table in tables}) > 1:
        raise SystemExit("the runs have different test examples")
    terms = [BLEU.statistics(to_segments(table, "tuned"))[0] for table in tables]
    scores = [float(BLEU.value(one.sum(axis=0))) for one in terms]
    share = gain_ / (scores[2] - np.mean(scores[:2]))

    def draw(generator: Generator, number: int) -> tuple[Array, Array]:
        rows = generator.integers(len(tables[0]), size=number)
        is_first = generator.random(number)[:, None] < 0.5
        one, other = terms[0][rows], terms[1][rows]
        champion = np.where(is_first, one, other)
        challenger = np.where(is_first, other, one)
        is_better = generator.random(number)[:, None] < share
        return champion, np.where(is_better, terms[2][rows], challenger)

    pairs = zip(tables[0], tables[1], strict=True)
    same = np.mean([one.tuned == other.tuned for one, other in pairs])
    shown = ", ".join(f"{score:.1f}" for score in scores)
    return (
        draw,
        f"+{gain_:g} BLEU, of {shown}; {100 * same:.0f} % equal answers",
    )


def line(draw: Draw, number: int, trials: int, seed: int) -> str:
    """Share of promoted challengers, with what the normal test would promote."""
    generator = np.random.default_rng([seed, number])
    pairs = [draw(generator, number) for _ in range(trials)]
    gains = [gain(BLEU, pair) for pair in pairs]
    error = float(np.std(gains))
    least = float(norm.isf(FIRST))
    plain = np.mean([standard_errors(BLEU, pair) > least for pair in pairs])
    found = np.mean([promotes(BLEU, pair, trial) for trial, pair in enumerate(pairs)])
    return (
        f"n = {number}: promoted {100 * found:.1f} % (plain test {100 * plain:.1f}), "
        f"gain {np.mean(gains):.2f}, standard error {error:.2f}"
    )


def main() -> None:
    """Print a line for each number of examples."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--numbers", type=int, nargs="+", default=[450, 900, 1800])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--equal", type=Path, nargs=2)
    parser.add_argument("--better", type=Path)
    args = parser.parse_args()
    if args.equal:
        cases = [real(args.equal, args.better, one) for one in (0.0, GAIN)]
    else:
        pool, better = Pool(BLEU), Pool(BLEU, easier=0.5)
        cases = [
            (
                synthetic(pool, better, same),
                f"+{GAIN:g} BLEU, {100 * same:.0f} % equal answers",
            )
            for same in (0.0, 0.4, 0.6, 0.8)
        ]
    for draw, title in cases:
        print(title, flush=True)
        for number in args.numbers:
            print(line(draw, number, args.trials, args.seed), flush=True)


if __name__ == "__main__":
    main()
