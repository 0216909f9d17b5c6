import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.metrics import METRICS, Segments, compare

TEXTS = st.lists(
    st.tuples(
        st.text(max_size=30), st.lists(st.text(max_size=30), min_size=1, max_size=3)
    ),
    min_size=1,
    max_size=4,
)
FREE = [metric for metric in METRICS.values() if metric.name != "meteor"]


@given(TEXTS, st.sampled_from(["en", "fr"]))
def test_every_metric_accepts_every_text(rows, stratum):
    completions, references = map(list, zip(*rows, strict=True))
    system = Segments(
        completions,
        references,
        [stratum] * len(rows),
        np.array([[1.5, 3, 7]] * len(rows)),
    )
    for found in compare(FREE, system, system, num_resamples=100, seed=0).values():
        for score in (found.base, found.tuned):
            assert np.isfinite([score.low, score.value, score.high]).all()
        assert not found.is_significant


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_has_name_title_and_signature(metric):
    assert metric.title and metric.name.isidentifier()
    assert metric.better in ("higher", "lower", "neither")


def test_importing_metrics_does_not_import_slow_libraries():
    heavy = "nltk", "rouge_score", "torch", "transformers", "scipy"
    code = (
        f"import sys, graft.metrics; print(*[m for m in {heavy} if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == []
