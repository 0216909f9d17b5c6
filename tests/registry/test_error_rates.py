"""Equal systems are rarely promoted, and clearly better ones nearly always."""

from collections.abc import Callable

import numpy as np

from graft.metrics import Metric
from graft.metrics.bootstrap import Array
from graft.metrics.contrast import Contrast
from graft.metrics.statistics import averaged, mean
from graft.registry.attempts import next_attempt
from graft.registry.gain import check_gain

AVERAGE = Metric("mean", "mean", lambda segments: (np.empty(0), ""), mean)
Draw = Callable[[np.random.Generator], Array]


def promoted(draw: Draw, number: int, num_trials: int, attempts: int = 1) -> float:
    """Share of trials in which any of so many challengers is promoted."""
    generator = np.random.default_rng(4)
    groups = [str(place) for place in range(number)]
    count = 0
    for trial in range(num_trials):
        champion = draw(generator)
        for attempt in range(attempts):
            terms = averaged(champion), averaged(draw(generator))
            contrast = Contrast(AVERAGE, *terms, groups, trial)
            allowed = next_attempt([0.0] * attempt, 0, 20)
            if check_gain(contrast, 0.0, allowed, 20_000).passed:
                count += 1
                break
    return count / num_trials


def answers(share_right: float, number: int) -> Draw:
    return lambda generator: (generator.random(number) < share_right) * 1.0


def test_equal_systems_with_ties_are_promoted_in_less_than_one_case_of_twenty() -> None:
    # 300 trials at 2.5 %: three standard errors are 2.7 points.
    assert promoted(answers(0.7, 50), 50, 300) <= 0.052


def test_a_sweep_of_eight_equal_variants_is_promoted_as_rarely() -> None:
    # At most 3.4 %; three standard errors of 60 trials are 7 points.
    assert promoted(answers(0.7, 50), 50, 60, attempts=8) <= 0.104


def test_a_clear_gain_is_promoted() -> None:
    generator = np.random.default_rng(0)
    groups = [str(place) for place in range(200)]
    found = []
    for trial in range(40):
        terms = (averaged(answers(p, 200)(generator)) for p in (0.5, 0.75))
        contrast = Contrast(AVERAGE, *terms, groups, trial)
        found.append(check_gain(contrast, 0.0, next_attempt([], 0, 20), 20_000).passed)
    assert np.mean(found) >= 0.95
