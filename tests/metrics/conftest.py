"""One or a few segments, scored by a metric's name."""

from collections.abc import Callable

import pytest

from graft.metrics import METRICS, Segments, resample


@pytest.fixture
def value() -> Callable[..., float]:
    """Score of a single segment: value(name, completion, *references, stratum=…)."""

    def score(
        name: str, completion: str, *references: str, stratum: str = "en"
    ) -> float:
        segments = Segments([completion], [references], [stratum])
        return METRICS[name].score(segments, resample(1, 100, 0)).value

    return score
