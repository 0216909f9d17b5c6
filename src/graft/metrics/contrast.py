"""How much better one system is than another, on as many resamples as needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from graft.metrics.bootstrap import Array, Resamples, measure, resample
from graft.metrics.exchanges import ExchangeTest, exchange_test, sign_flip_test
from graft.metrics.paired import Differences, differences
from graft.metrics.statistics import Metric, mean, percent

CHUNK = 1000
"""Resamples that are in memory at the same time."""
SHIFT = 3.0
"""A bound is beyond a value if it is in 99.9 % of all seeds: by three standard errors
of the resampling."""
FEWEST_BEYOND = 10
"""With fewer resamples beyond a bound, it is not known well enough."""


@dataclass
class Contrast:
    """The gain of a challenger over a champion in one metric: positive is better.

    Args:
        metric: with better values `higher` or `lower`.
        champion: terms of its segments, shape [segments, terms].
        challenger: the same of the other system, on the same segments.
        groups: of the segments, which are resampled together.
        seed: of the resamples.
    """

    metric: Metric
    champion: Array
    challenger: Array
    groups: Sequence[str]
    seed: int
    _found: Differences | None = None
    _num_chunks: int = field(default=0)

    @property
    def values(self) -> tuple[float, float]:
        """The metric of the challenger and of the champion."""
        sums = (self.challenger.sum(axis=0), self.champion.sum(axis=0))
        challenger, champion = (float(self.metric.value(one)) for one in sums)
        return challenger, champion

    @property
    def found(self) -> Differences:
        """The gain, on at least one chunk of resamples."""
        if self._found is None:
            self.extend(CHUNK)
        assert self._found is not None
        return self._found

    def extend(self, number: int) -> None:
        """Draw more resamples until there are at least `number`."""
        pair = (self.champion, self.challenger)
        if self.metric.better == "lower":
            pair = (self.challenger, self.champion)
        while self._num_chunks * CHUNK < number:
            seeds = [self.seed, self._num_chunks]
            draws = resample(len(self.groups), CHUNK, seeds, self.groups)
            before, after = (measure(self.metric.value, one, draws) for one in pair)
            more = differences(before, after, draws)
            self._found = self._found.extended(more) if self._found else more
            self._num_chunks += 1

    def settle(self, question: Callable[[], bool | None], most: int) -> bool | None:
        """Ask with twice as many resamples as long as the answer is open; None if it
        is with `most`."""
        number = CHUNK
        while (answer := question()) is None and number < most:
            number = min(2 * number, most)
            self.extend(number)
        return answer

    def is_above(self, value: float, confidence: float) -> bool | None:
        """Whether the lower bound of the gain is above a value; None if the resamples
        leave that open."""
        least, most = (self.found.bounds(confidence, s)[0] for s in (SHIFT, -SHIFT))
        if most <= value:
            return False
        return True if least > value and self._is_known(confidence) else None

    def is_below(self, value: float, confidence: float) -> bool | None:
        """Whether the upper bound of the gain is below a value; None if that is
        open."""
        least, most = (self.found.bounds(confidence, s)[1] for s in (-SHIFT, SHIFT))
        if least >= value:
            return False
        return True if most < value and self._is_known(confidence) else None

    def _is_known(self, confidence: float) -> bool:
        return len(self.found.values) * (1 - confidence) / 2 >= FEWEST_BEYOND

    def resampling_error(self, confidence: float) -> float:
        """Standard error of the lower bound: how far it moves with another seed."""
        least, most = (self.found.bounds(confidence, s)[0] for s in (1.0, -1.0))
        return (most - least) / 2

    def test_exchanges(self, least: float, level: float) -> ExchangeTest:
        """Test by exchanging answers whether the gain is above `least`.

        A mean over the same segments of both systems is tested against `least`, other
        metrics against 0.
        """
        champion, challenger = (
            self._grouped(one) for one in (self.champion, self.challenger)
        )
        sign = -1.0 if self.metric.better == "lower" else 1.0
        scales: dict[object, float] = {mean: 1.0, percent: 100.0}
        scale = scales.get(self.metric.value)
        if scale is None or not np.array_equal(
            self.champion[:, 1], self.challenger[:, 1]
        ):
            value = self.metric.value
            return exchange_test(
                lambda sums: sign * value(sums), champion, challenger, level, self.seed
            )
        gains = sign * scale * (challenger[:, 0] - champion[:, 0])
        return sign_flip_test(gains - least * champion[:, 1], level, self.seed)

    def _grouped(self, terms: Array) -> Array:
        places: dict[str, int] = {}
        codes = np.array([places.setdefault(g, len(places)) for g in self.groups])
        return Resamples(np.empty((0, len(places))), codes).groups(terms)
