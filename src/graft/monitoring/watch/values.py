"""The values of gauges and counters, as Prometheus reads them."""

from collections.abc import Iterator, Mapping
from threading import Lock

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from graft.monitoring.names import Metric


class MetricValues(Collector):
    """Gauges and counters that any thread may set."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: dict[Metric, dict[tuple[str, ...], float]] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Set one value; its labels are in the order of the metric's."""
        with self._lock:
            self._values.setdefault(metric, {})[labels] = value

    def add(self, metric: Metric, *labels: str, value: float = 1) -> None:
        """Add to one value."""
        with self._lock:
            series = self._values.setdefault(metric, {})
            series[labels] = series.get(labels, 0) + value

    def replace(self, metric: Metric, values: Mapping[tuple[str, ...], float]) -> None:
        """Set all values of a metric, by its labels; others of it end."""
        with self._lock:
            self._values[metric] = dict(values)

    def to_text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Family]:
        """Called by the client of Prometheus."""
        with self._lock:
            copies = {metric: dict(one) for metric, one in self._values.items()}
        for metric, series in copies.items():
            kind = (
                CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            )
            family = kind(metric.name, metric.text, labels=metric.labels)
            for labels, value in series.items():
                family.add_metric(labels, value)
            yield family
