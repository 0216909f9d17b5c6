"""Random requests of a canary and a champion, for `canary_power.py`."""

import math
from dataclasses import dataclass

import numpy as np

from graft.monitoring.canary.evidence import Array

CLIENTS, EVERY = 120, 50
Generator = np.random.Generator


@dataclass(frozen=True)
class World:
    """Rates and ratios of one group. `repetitive`, `truncated`: shares; `habits`:
    standard deviation of the logarithms of clients' lengths and speeds."""

    errors: float = 0.005
    slower: float = 1.0
    longer: float = 1.0
    truncated: float = 0.02
    repetitive: float = 0.002
    bad: float = 0.2
    habits: float = 0.2


FAULTS = {
    "garbage (8 x length, all repetitive)": World(
        longer=8.0, repetitive=0.98, truncated=0.9, bad=0.95
    ),
    "garbage, only ratings show it": World(bad=0.95),
    "2 x slow": World(slower=2.0),
    "all requests fail": World(errors=1.0),
    "half of the requests fail": World(errors=0.5),
    "5 % errors": World(errors=0.05),
    "ratings 80 to 60 % good": World(bad=0.4),
}


class Group:
    """The requests of one group in many canaries, of which sums are kept."""

    def __init__(self, world: World, trials: int, random: Generator) -> None:
        self._world, self._random, shape = world, random, (trials, CLIENTS)
        share = random.lognormal(0, 1, shape)
        self._ends = np.cumsum(share / share.sum(1, keepdims=True), axis=1)
        self._habit = random.normal(0, world.habits, (3, *shape))
        spread = random.gamma(2.0, 0.5, shape)  # of the errors of clients, mean 1
        self._errors = np.minimum(world.errors * spread, 1.0)
        if world.errors >= 0.5:
            self._errors = np.full(shape, world.errors)
        self.sums: dict[str, list[Array]] = {}

    def add(self) -> None:
        """Draw the next requests of each canary."""
        random, world = self._random, self._world
        trials = len(self._ends)
        rows = np.arange(trials)[:, None]
        draw = random.random((trials, EVERY))
        client = (draw[..., None] > self._ends[:, None, :]).sum(-1)
        client = np.minimum(client, CLIENTS - 1)
        shape = client.shape
        prompt = random.normal(4, 0.5, shape) + self._habit[0][rows, client]
        length = random.normal(4, 0.4, shape) + self._habit[1][rows, client]
        length += math.log(world.longer)
        tail = np.where(random.random(shape) < 0.02, math.log(5.0), 0.0)
        speed = self._habit[2][rows, client] + tail + math.log(world.slower)
        first = speed + random.normal(0, 0.5, shape) + 0.5 * prompt
        each = speed + random.normal(0, 0.3, shape)
        failed = random.random(shape) < self._errors[rows, client]
        ok = ~failed

        def share(rate: float) -> Array:
            return (random.random(shape) < rate).astype(float)

        everything, rated = np.ones(shape, bool), ok & (random.random(shape) < 0.1)
        for name, values, covariate, mask in (
            ("errors", failed.astype(float), None, everything),
            ("client_errors", share(0.01), None, everything),
            ("abandoned", share(0.01), None, everything),
            ("guarded", share(0.01), None, ok),
            ("truncated", share(world.truncated), None, ok),
            ("refusals", share(0.02), None, ok),
            ("repetitive", share(world.repetitive), None, ok),
            ("bad_ratings", share(world.bad), None, rated),
            ("first_token", first, prompt, ok),
            ("per_token", each, None, ok),
            ("duration", each + length, length, ok),
            ("length", length, prompt, ok),
            ("prompts", prompt, None, everything),
            ("language", share(0.9), None, everything),
        ):
            x = 0 * values if covariate is None else covariate
            self._add(name, values * mask, x * mask, mask, client)

    def _add(self, name: str, y: Array, x: Array, mask: Array, client: Array) -> None:
        trials = len(client)
        index = (client + CLIENTS * np.arange(trials)[:, None]).ravel()

        def by_client(values: Array) -> Array:
            found = np.bincount(index, values.ravel(), trials * CLIENTS)
            return found.reshape(trials, CLIENTS)

        new = [by_client(v) for v in (mask.astype(float), y, x)]
        new += [(y * y).sum(1), (x * y).sum(1), (x * x).sum(1)]
        old = self.sums.get(name)
        self.sums[name] = new if old is None else [a + b for a, b in zip(old, new)]


SOURCES = {"longer": "length", "shorter": "length"} | {
    f"{name}_{way}": name
    for name, ways in {
        "prompts": ("longer", "shorter"),
        "language": ("more", "less"),
    }.items()
    for way in ways
}
