"""Dashboards and alerts against the names of the metrics."""

import json
import re
import subprocess
import sys

import pytest
from alert_rules import ROOT, alerts, rules

from dashboards import DASHBOARDS
from graft.monitoring.names import all_metrics

NAME = re.compile(r"\b(?:graft|gen_ai)[_:][\w:]+")
RECORDED = {str(rule["record"]) for rule in rules() if "record" in rule}
SHOWN = "\n".join(
    query.expression
    for dashboard in DASHBOARDS
    for panel in dashboard.panels
    for query in panel.queries
)


def exported() -> dict[str, str]:
    """The names that Prometheus stores, and of which metric each is."""
    names = {}
    for metric in all_metrics():
        parts = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        names.update({f"{metric.name}{part}": metric.name for part in parts})
    return names


def used(text: str) -> set[str]:
    """Names of metrics and of recording rules in PromQL, strings and labels left
    out."""
    return set(NAME.findall(re.sub(r'"[^"]*"|\{[^}]*\}', "", text)))


def test_committed_dashboards_are_those_of_the_script() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/make_dashboards.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_metric_is_in_a_panel_or_an_alert() -> None:
    expressions = SHOWN + "\n".join(str(rule["expr"]) for rule in rules())
    found = {exported().get(name) for name in used(expressions)}
    assert {one.name for one in all_metrics()} - found == set()


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda one: one.name)
def test_every_query_is_of_metrics_that_exist(dashboard) -> None:  # type: ignore
    for panel in dashboard.panels:
        for query in panel.queries:
            assert used(query.expression) <= set(exported()) | RECORDED, panel.title


def test_every_rule_is_of_metrics_that_exist() -> None:
    for rule in rules():
        known = set(exported()) | RECORDED
        assert used(str(rule["expr"])) <= known, rule


def test_every_recorded_series_is_in_a_panel_or_another_rule() -> None:
    expressions = SHOWN + "\n".join(str(rule["expr"]) for rule in rules())
    assert RECORDED - used(expressions) == set()


def test_labels_of_queries_are_those_of_the_metric() -> None:
    labels = {one.name: set(one.labels) for one in all_metrics()}
    for rule in alerts():
        found = re.findall(r"\b((?:graft|gen_ai)_\w+)\{([^}]*)\}", str(rule["expr"]))
        for name, selectors in found:
            wanted = set(re.findall(r"(\w+)\s*(?:=|!)", selectors))
            assert wanted <= labels[exported()[name]], rule["alert"]


def test_a_dashboard_has_a_data_source_to_choose_and_queries_of_it() -> None:
    for path in sorted((ROOT / "deploy/grafana").glob("*.json")):
        document = json.loads(path.read_text("utf-8"))
        (variable,) = document["templating"]["list"]
        assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
        for panel in document["panels"]:
            if panel["type"] != "row":
                assert panel["datasource"]["uid"] == f"${{{variable['name']}}}"
                assert panel["description"] and panel["targets"]
