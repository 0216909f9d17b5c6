"""The metrics are those that the documentation lists."""

import re
from pathlib import Path

import pytest

from graft.monitoring.names import Metric, all_metrics

PAGE = (Path(__file__).parents[2] / "docs/MONITORING.md").read_text("utf-8")
METRICS = list(all_metrics())


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
