"""Simulate canaries: how often healthy ones are rolled back or promoted, and how soon
faults are found.

    python benchmarks/canary_power.py [--healthy 200] [--faulty 100] [--seed 0]

Each canary has 120 clients in each group with their own rates of errors and speeds, a
few of which send most requests, log-normal latencies with a tail of one request in
fifty that takes five times as long, and an analysis after every 50 requests of each
group (5 s at 20 requests a second, of which half are the canary's). Metrics and their
evidence are those of `graft.monitoring.canary`, with its default margins; a tenth of
the requests are rated. Delays are the canary's requests at the verdict. Some healthy
canaries are analysed as if nobody knew whose requests are whose. The sample ratio is
looked at after each of 2,000 clients.
"""

import argparse
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from canary_worlds import EVERY, FAULTS, SOURCES, Group, World

from graft.config.params import load_params
from graft.monitoring.canary.comparison import Estimate, Sums, estimate
from graft.monitoring.canary.evidence import Array
from graft.monitoring.canary.judging import margin_of, needed_evidence
from graft.monitoring.canary.metrics import METRICS
from graft.monitoring.canary.sample_ratio import log_e_share

CONFIG = load_params(Path("params.yaml")).monitoring.canary


def simulate(
    canary: World,
    champion: World,
    trials: int,
    looks: int,
    seed: int,
    has_units: bool = True,
) -> tuple[Array, Array, Mapping[str, int]]:
    """Requests of the canary at its rollback and at its promotion, infinite if there is
    none; and how often each metric rolled back. [trials]

    Args:
        has_units: whether the analysis knows the client of each request.
    """
    random = np.random.default_rng(seed)
    groups = (
        Group(canary, trials, random),
        Group(champion, trials, random),
    )
    rolled, promoted = np.full((2, trials), np.inf)
    needed, promotes = needed_evidence(CONFIG), -math.log(CONFIG.error_rate)
    causes: dict[str, int] = {}
    for look in range(1, looks + 1):
        for group in groups:
            group.add()
        alive, good = np.isinf(rolled) & np.isinf(promoted), np.ones(trials, bool)
        for metric in METRICS:
            margin = margin_of(metric, CONFIG)
            source = SOURCES.get(metric.name, metric.name)
            sums = [Sums(*group.sums[source]) for group in groups]
            compared = estimate(metric.kind, sums[0], sums[1], metric.sign)
            compared = compared if has_units else without_units(compared)
            if margin.rollback is not None:
                found = compared.worse(margin.rollback, CONFIG.min_clients) >= needed
                found &= (sums[0].total > 0) & (sums[1].total > 0)
                causes[metric.name] = causes.get(metric.name, 0) + int(
                    (found & alive & np.isinf(rolled)).sum()
                )
                rolled[found & alive & np.isinf(rolled)] = look * EVERY
            if margin.promote is not None:
                good &= (
                    compared.not_worse(margin.promote, CONFIG.min_clients) >= promotes
                )
        enough = look * EVERY >= CONFIG.min_requests
        promoted[alive & good & enough & np.isinf(rolled)] = look * EVERY
        if not (np.isinf(rolled) & np.isinf(promoted)).any():
            break
    return rolled, promoted, {name: n for name, n in causes.items() if n}


def without_units(compared: Estimate) -> Estimate:
    """As the analysis sees it if each request counts as a client of its own."""
    fewest = np.minimum(compared.canary.total, compared.main.total)
    return replace(
        compared,
        variance=compared.plain_variance,
        df=compared.canary.total + compared.main.total - 2,
        clients=fewest,
    )


def sample_ratios(configured: float, found: float, trials: int, seed: int) -> None:
    """Print how often a mismatch is found, and after how many clients.

    Args:
        configured, found: share of the clients in the canary.
    """
    number = 2000
    random, needed = np.random.default_rng(seed), needed_evidence(CONFIG)
    canary = (random.random((trials, number)) < found).cumsum(1).astype(np.float64)
    is_found = log_e_share(canary, np.arange(1.0, number + 1), configured) >= needed
    first = np.where(is_found.any(1), is_found.argmax(1) + 1.0, np.inf)
    share = f"{100 * configured:g} % configured, {100 * found:g} % found"
    print(f"sample ratio, {share}: mismatch {_summary(first, 'clients')}", flush=True)


def _quantile(values: Array, q: float) -> str:
    found = float(np.sort(values)[int(q * (len(values) - 1))])
    return f"{found:,.0f}" if math.isfinite(found) else "never"


def main() -> None:
    """Print a line for healthy canaries and for each fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--healthy", type=int, default=200)
    parser.add_argument("--faulty", type=int, default=100)
    parser.add_argument("--looks", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for rate in (0.001, 0.005, 0.01):
        trials = args.healthy if rate == 0.005 else args.healthy // 5
        healthy(World(errors=rate), trials, args.looks, args.seed)
    for habits in (0.2, 0.5):
        for has_units in (True, False):
            world = World(habits=habits)
            healthy(world, args.healthy, args.looks, args.seed, has_units)
    for configured, found in ((0.5, 0.5), (0.05, 0.05), (0.5, 0.45), (0.05, 0.03)):
        sample_ratios(configured, found, 2000, args.seed)
    for name, world in FAULTS.items():
        looks = min(args.looks, 80)
        rolled, promoted, causes = simulate(
            world, World(), args.faulty, looks, args.seed + 1
        )
        names = ", ".join(sorted(causes, key=causes.__getitem__)[-3:])
        print(f"{name}: found {_summary(rolled)}; by {names}")
        print(f"  promoted {_summary(promoted)}", flush=True)


def healthy(
    world: World, trials: int, looks: int, seed: int, has_units: bool = True
) -> None:
    """Both groups alike."""
    found = simulate(world, world, trials, looks, seed, has_units)
    rolled, promoted, causes = found
    units = "" if has_units else ", units unknown"
    print(
        f"healthy, {100 * world.errors:g} % errors, habits {100 * world.habits:g} %"
        f"{units}, {trials} canaries:"
    )
    print(f"  rolled back or inconclusive {_summary(rolled)} {causes or ''}")
    print(f"  promoted {_summary(promoted)}", flush=True)


def _summary(values: Array, what: str = "requests") -> str:
    """Share of canaries, and the requests of each group (or clients) until then."""
    share = f"{100 * np.isfinite(values).mean():.2f} %"
    quantiles = f"median {_quantile(values, 0.5)}, 90 % {_quantile(values, 0.9)}"
    return f"{share}; {what}: {quantiles}"


if __name__ == "__main__":
    main()
