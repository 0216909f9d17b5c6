"""Readings for Prometheus."""

import logging
from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from graft.monitoring.names import Metric
from graft.monitoring.readings import Reading, Readings

LOGGER = logging.getLogger(__name__)
Family = GaugeMetricFamily | CounterMetricFamily


class ReadingsCollector(Collector):
    """Reads its sources whenever metrics are asked for.

    Args:
        sources: one that raises is left out, and logged.
    """

    def __init__(self, sources: Sequence[Readings]) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Family]:
        """All readings now, the same metric of several sources together."""
        families: dict[Metric, Family] = {}
        for source in self._sources:
            try:
                readings = list(source())
            except Exception:  # pylint: disable=broad-exception-caught
                LOGGER.exception("a source of metrics failed")
                continue
            for reading in readings:
                if reading.metric not in families:
                    families[reading.metric] = _family(reading.metric)
                _add(families[reading.metric], reading)
        return families.values()

    def describe(self) -> Iterable[Family]:
        """Nothing: names are unique in graft.monitoring.names."""
        return ()


def _family(metric: Metric) -> Family:
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    return kind(metric.name, metric.text, labels=metric.labels)


def _add(family: Family, reading: Reading) -> None:
    family.add_metric(reading.labels, reading.value)
