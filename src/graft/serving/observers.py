"""All that is told of requests while `graft serve` runs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from graft.config import MonitoringConfig, ServingConfig
from graft.monitoring.readings import Readings
from graft.monitoring.served_request import RequestObserver
from graft.serving.json_log import JsonLog


@contextmanager
def open_observers(
    serving: ServingConfig, _monitoring: MonitoringConfig
) -> Iterator[list[RequestObserver]]:
    """The configured observers; what they hold is written at the end of the block.

    Raises: GraftError if one of them cannot work.
    """
    observers: list[RequestObserver] = [JsonLog(serving.log_texts)]
    readings: list[Readings] = []  # gauges and counters of the observers themselves
    with ExitStack():  # of observers that hold something: a line for each
        assert not readings
        yield observers
