"""One segment, or a few, scored by the name of a metric."""

from collections.abc import Callable

import pytest

from graft.metrics import METRICS, Segments, resample


@pytest.fixture
def value() -> Callable[..., float]:
    """value(name, completion, *references, stratum=…) of a single segment."""

    def score(name: str, said: str, *references: str, stratum: str = "en") -> float:
        segments = Segments([said], [references], [stratum])
        return METRICS[name].score(segments, resample(1, 100, 0)).value

    return score
