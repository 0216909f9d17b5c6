"""Metrics of requests for Prometheus, with exemplars."""

from collections import OrderedDict

from prometheus_client import CollectorRegistry, Counter, Histogram

from graft.monitoring.names import Metric, Serving
from graft.monitoring.served_request import ServedRequest

NONE = "none"
"""Label of a request for which no version was chosen."""
MOST_VERSIONS = 16
"""Versions with series of their own; past them, that which was idle longest loses its
series, so that a server that sees many versions does not grow without bound."""
_BY_VERSION = (
    Serving.DURATION,
    Serving.FIRST_TOKEN,
    Serving.PER_TOKEN,
    Serving.TOKENS,
    Serving.REQUESTS,
    Serving.FINISHES,
    Serving.GUARDS,
)


class RequestMetrics:
    """A `RequestObserver` that counts requests and measures their times.

    Attributes:
        registry: of its metrics alone.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._histograms = {
            metric: Histogram(
                metric.name,
                metric.text,
                metric.labels,
                registry=self.registry,
                buckets=metric.buckets,
            )
            for metric in _BY_VERSION
            if metric.kind == "histogram"
        }
        self._counters = {
            metric: Counter(
                metric.name, metric.text, metric.labels, registry=self.registry
            )
            for metric in (*_BY_VERSION, Serving.REJECTED)
            if metric.kind == "counter"
        }
        self._versions = OrderedDict[str, None]()

    def observe(self, request: ServedRequest) -> None:
        """Count a request."""
        version, route = request.version or NONE, request.route
        group = request.group or NONE
        self._keep(version)
        self._count(Serving.REQUESTS, version, group, route, request.outcome)
        if request.outcome == "rejected":
            self._count(Serving.REJECTED, request.error or NONE)
        if request.version is None:
            return
        exemplar = to_exemplar(request)
        self._measure(
            Serving.DURATION,
            request.duration_s,
            (version, route, request.outcome),
            exemplar,
        )
        for finish in request.finishes:
            self._count(Serving.FINISHES, version, finish)
        for guard, number in request.guards.items():
            self._count(Serving.GUARDS, version, guard, number=number)
        if request.first_token_s is None:
            return
        labels = (version, route)
        self._measure(Serving.FIRST_TOKEN, request.first_token_s, labels, exemplar)
        if (seconds := request.s_per_token) is not None:
            self._measure(Serving.PER_TOKEN, seconds, labels, exemplar)
        for kind, number in (
            ("input", request.num_prompt_tokens),
            ("output", request.num_completion_tokens),
        ):
            self._measure(Serving.TOKENS, number, (version, kind))

    def _count(self, metric: Metric, *labels: str, number: int = 1) -> None:
        self._counters[metric].labels(*labels).inc(number)

    def _measure(
        self,
        metric: Metric,
        value: float,
        labels: tuple[str, ...],
        exemplar: dict[str, str] | None = None,
    ) -> None:
        self._histograms[metric].labels(*labels).observe(value, exemplar)

    def _keep(self, version: str) -> None:
        """Remove the series of the version that was idle longest, if there are too
        many."""
        self._versions[version] = None
        self._versions.move_to_end(version)
        if len(self._versions) > MOST_VERSIONS:
            oldest, _ = self._versions.popitem(last=False)
            for series in (*self._histograms.values(), *self._counters.values()):
                if "version" in series._labelnames:  # pylint: disable=protected-access
                    series.remove_by_labels({"version": oldest})


def to_exemplar(request: ServedRequest) -> dict[str, str]:
    """What leads from a bucket to a request: its span, or else its id in the log."""
    if request.trace is None:
        return {"request_id": request.id}
    return {"trace_id": request.trace.trace_id, "span_id": request.trace.span_id}
