"""A port of /metrics for Prometheus, in its text format or OpenMetrics."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server

from graft.errors import ConfigError


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
            fix="end the other process, or set another port (0: any free port)",
        ) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
