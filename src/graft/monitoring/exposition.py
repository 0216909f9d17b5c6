"""A port of /metrics for Prometheus, in its text format or OpenMetrics."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from graft.errors import ConfigError
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


@contextmanager
def metrics_port(
    registry: CollectorRegistry, host: str, port: int, key: str
) -> Iterator[int]:
    """Serve a registry until the end of the block, in threads of their own.

    Args:
        port: 0: any free port.
        key: of the configuration, for errors; such as monitoring.telemetry.
    Yields: the port.
    Raises: ConfigError if the address cannot be used.
    """
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise ConfigError(
            f"{key}: {host}:{port}",
            f"cannot listen there for metrics: {error.strerror or error}",
            expected="an address of this machine, and a free port",
            fix=f"end the other process, or set another port (0: any free port)",
        ) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
