"""Metrics of requests, as Prometheus reads them."""

from collections.abc import Iterable
from urllib.request import Request, urlopen

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from served_requests import served_request

from graft.errors import ConfigError
from graft.monitoring.exposition import ReadingsCollector
from graft.monitoring.metrics import MOST_VERSIONS, RequestMetrics
from graft.monitoring.names import Serving
from graft.monitoring.readings import Reading
from graft.monitoring.trace_context import TraceContext, to_trace
from graft.telemetry.port import metrics_port

KEY = "monitoring.telemetry"
TRACE = TraceContext("a" * 32, "b" * 16)


def samples(text: str) -> list[Sample]:
    """Those of a page of OpenMetrics, which must be valid."""
    return [s for f in text_string_to_metric_families(text) for s in f.samples]


def samples_of(metrics: RequestMetrics) -> list[Sample]:
    return samples(generate_latest(metrics.registry).decode())


def value(found: Iterable[Sample], name: str, **labels: str) -> float:
    (one,) = [s for s in found if s.name == name and labels.items() <= s.labels.items()]
    return one.value


def test_a_request_is_counted_and_its_times_are_measured() -> None:
    metrics = RequestMetrics()
    metrics.observe(served_request(guards={"block_list": 2}))
    found = samples_of(metrics)
    labels = {"version": "translator/3", "group": "main", "outcome": "completed"}
    assert value(found, Serving.REQUESTS.name, **labels) == 1
    assert value(found, Serving.GUARDS.name, guard="block_list") == 2
    assert value(found, Serving.FINISHES.name, finish="stop") == 1
    assert value(found, f"{Serving.DURATION.name}_sum") == 0.5
    assert value(found, f"{Serving.FIRST_TOKEN.name}_sum") == 0.1
    assert value(found, f"{Serving.PER_TOKEN.name}_sum") == pytest.approx(0.1)
    assert value(found, f"{Serving.TOKENS.name}_sum", token_type="input") == 10
    page = generate_latest(metrics.registry).decode()
    assert "secret" not in page


def test_exemplars_lead_to_the_span_or_else_to_the_request() -> None:
    for trace, expected in (
        (TRACE, {"trace_id": "a" * 32, "span_id": "b" * 16}),
        (None, {"request_id": "r1"}),
    ):
        metrics = RequestMetrics()
        metrics.observe(served_request(trace=trace))
        found = [s.exemplar for s in samples_of(metrics) if s.exemplar]
        assert len(found) == 3 and all(one.labels == expected for one in found)


def test_what_was_rejected_has_its_reason_and_no_times() -> None:
    metrics = RequestMetrics()
    rejected = served_request(
        outcome="rejected", status=429, version=None, group=None, error="overloaded"
    )
    metrics.observe(rejected)
    found = samples_of(metrics)
    assert value(found, Serving.REJECTED.name, reason="overloaded") == 1
    assert value(found, Serving.REQUESTS.name, version="none", group="none") == 1
    assert not any(s.name.startswith("gen_ai") for s in found)


def test_versions_do_not_add_series_without_bound() -> None:
    metrics = RequestMetrics()
    for number in range(3 * MOST_VERSIONS):
        metrics.observe(served_request(version="translator/kept"))
        metrics.observe(served_request(version=f"translator/{number}"))
    found = samples_of(metrics)
    versions = {s.labels["version"] for s in found if "version" in s.labels}
    assert len(versions) == MOST_VERSIONS and "translator/kept" in versions
    assert value(found, Serving.REQUESTS.name, version="translator/kept") == 48


def test_the_port_offers_openmetrics_and_a_broken_source_hides_no_other() -> None:
    def broken() -> list[Reading]:
        raise RuntimeError("broken")

    registry = CollectorRegistry()
    sources = [broken, lambda: [Reading(Serving.LOADED, 1, ("champion", "t/1"))]]
    registry.register(ReadingsCollector(sources))
    with metrics_port(registry, "127.0.0.1", 0, KEY) as port:
        url = f"http://127.0.0.1:{port}/metrics"
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        with urlopen(Request(url, headers=accept), timeout=60) as response:
            assert "openmetrics" in response.headers["content-type"]
            found = samples(response.read().decode())
        with urlopen(url, timeout=60) as response:
            assert Serving.LOADED.name in response.read().decode()
        with pytest.raises(ConfigError, match="cannot listen") as caught:
            with metrics_port(registry, "127.0.0.1", port, KEY):
                pass
    assert KEY in str(caught.value)
    assert value(found, Serving.LOADED.name, alias="champion", version="t/1") == 1


def test_a_caller_s_trace_is_continued_if_it_is_sampled() -> None:
    header = f"00-{'1' * 32}-{'2' * 16}-01"
    found = to_trace(header, starts_traces=False)
    assert found is not None
    assert (found.trace_id, found.parent_id) == ("1" * 32, "2" * 16)
    assert found.span_id != found.parent_id
    assert to_trace(header[:-1] + "0", starts_traces=True) is None
    assert to_trace(None, starts_traces=False) is None


@given(st.text() | st.from_regex(r"[0-9a-f]{2}-0{32}-[0-9a-f]{16}-01", fullmatch=True))
def test_a_header_that_is_not_valid_is_ignored(header: str) -> None:
    found = to_trace(header, starts_traces=True)
    assert found is not None and found.parent_id is None
