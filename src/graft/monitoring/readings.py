"""Values that are read when Prometheus asks for them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from graft.monitoring.names import Metric


@dataclass(frozen=True)
class Reading:
    """The value of a gauge or a counter now.

    Args:
        labels: values of the metric's labels, in their order.
    """

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


Readings = Callable[[], Iterable[Reading]]
"""Called in the thread of the metrics' port: it must neither block nor raise."""
