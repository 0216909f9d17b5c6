"""Contrasts of two candidates, over all examples and in each stratum."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from graft.evaluation.scoring import to_segments
from graft.evaluation.verdicts import FEWEST
from graft.metrics import Metric
from graft.metrics.bootstrap import Array
from graft.metrics.contrast import Contrast
from graft.metrics.statistics import Statistics
from graft.registry.candidate import Candidate


@dataclass
class Contrasts:
    """Of a challenger with a champion, whose predictions have the same order.

    Statistics are computed once for metrics that share them, and for all strata.
    """

    challenger: Candidate
    champion: Candidate
    seed: int
    _terms: dict[Statistics, tuple[Array, Array]] = field(default_factory=dict)

    def overall(self, metric: Metric) -> Contrast:
        """Over all examples."""
        return self._over(metric, np.arange(len(self._groups)))

    def strata(self, metric: Metric) -> Mapping[str, Contrast]:
        """In each stratum with enough examples for a verdict, if there are several."""
        names = np.array([row.stratum for row in self.champion.predictions])
        places = {name: np.flatnonzero(names == name) for name in sorted(set(names))}
        if len(places) < 2:
            return {}
        return {
            str(name): self._over(metric, rows)
            for name, rows in places.items()
            if len(rows) >= FEWEST
        }

    def _over(self, metric: Metric, rows: "np.typing.NDArray[np.intp]") -> Contrast:
        champion, challenger = self._measured(metric.statistics)
        groups = [self._groups[row] for row in rows]
        return Contrast(metric, champion[rows], challenger[rows], groups, self.seed)

    @cached_property
    def _groups(self) -> Sequence[str]:
        groups = to_segments(self.champion.predictions, "tuned").groups
        assert groups is not None
        return groups

    def _measured(self, statistics: Statistics) -> tuple[Array, Array]:
        if statistics not in self._terms:
            champion, challenger = (
                statistics(to_segments(one.predictions, "tuned"))[0]
                for one in (self.champion, self.challenger)
            )
            self._terms[statistics] = champion, challenger
        return self._terms[statistics]


def settle(
    contrast: Contrast, question: Callable[[], bool | None], most: int
) -> tuple[bool, str]:
    """The answer, and a remark if it stayed open and therefore counts as no."""
    answer = contrast.settle(question, most)
    if answer is None:
        return False, f", open after {most:,} resamples"
    return answer, ""
