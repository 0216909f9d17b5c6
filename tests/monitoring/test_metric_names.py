"""The metrics are those that the documentation lists."""

import re
from pathlib import Path

import pytest

from graft.monitoring.names import Metric, Serving, all_metrics

PAGE = (Path(__file__).parents[2] / "docs/MONITORING.md").read_text("utf-8")
METRICS = list(all_metrics())


def test_buckets_are_those_of_the_conventions_for_generative_ai() -> None:
    """Written out as docs/gen-ai/gen-ai-metrics.md of OpenTelemetry 1.37 has them."""
    assert Serving.DURATION.buckets == (
        *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64),
        *(1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
    )
    assert Serving.FIRST_TOKEN.buckets == (
        *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1),
        *(0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
    )
    assert Serving.PER_TOKEN.buckets == (
        *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2),
        *(0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
    )
    assert Serving.TOKENS.buckets == (
        *(1, 4, 16, 64, 256, 1024, 4096, 16384),
        *(65536, 262144, 1048576, 4194304, 16777216, 67108864),
    )


def test_the_documentation_lists_each_metric_once_and_no_other() -> None:
    listed = re.findall(r"^\| `((?:graft|gen_ai)_\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(metric.name for metric in METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_advises_and_documented_as_it_is(
    metric: Metric,
) -> None:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    row = f"| `{metric.name}` | {metric.kind} | {labels} | {metric.text} |"
    assert row in PAGE.splitlines()
    assert (metric.kind == "counter") == metric.name.endswith("_total")
    assert (metric.kind == "histogram") == bool(metric.buckets)
