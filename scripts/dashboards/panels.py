"""What a dashboard shows, and how Grafana writes it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from graft.monitoring.names import Metric

SOURCE = "prometheus"
"""Name of the variable with the data source."""


@dataclass(frozen=True)
class Query:
    """One query of a panel.

    Args:
        expression: in PromQL.
        legend: of its series, with labels such as {{version}}.
    """

    expression: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """A plot over time.

    Args:
        unit: in Grafana's words, such as `s`, `percentunit`, `short`.
        text: what it shows, and when that is bad.
    """

    title: str
    unit: str
    text: str
    queries: Sequence[Query]


@dataclass(frozen=True)
class Dashboard:
    """A page.

    Args:
        name: of its file, and its address in Grafana.
        rows: panels under headings.
    """

    name: str
    title: str
    text: str
    rows: Sequence[tuple[str, Sequence[Panel]]] = field(default_factory=tuple)

    @property
    def panels(self) -> list[Panel]:
        """All panels."""
        return [panel for _, panels in self.rows for panel in panels]


def last(metric: Metric, legend: str = "{{instance}}") -> Query:
    """The values as they are."""
    return Query(metric.name, legend)


def rate(metric: Metric, *by: str) -> Query:
    """How often a counter rises per second, by labels."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by) or "all"
    return Query(f"sum{_by(*by)} (rate({metric.name}[1m]))", legend)


def growth(metric: Metric, *by: str) -> Query:
    """By how much a counter rose in the last hour, by labels."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by) or "all"
    return Query(f"sum{_by(*by)} (increase({metric.name}[1h]))", legend)


def quantile(share: float, metric: Metric, *by: str) -> Query:
    """A quantile of a histogram over a minute, by labels."""
    buckets = f"sum{_by(*by, 'le')} (rate({metric.name}_bucket[1m]))"
    legend = " ".join(f"{{{{{label}}}}}" for label in by)
    text = f"p{100 * share:g} {legend}".strip()
    return Query(f"histogram_quantile({share}, {buckets})", text)


def mean(metric: Metric, *by: str) -> Query:
    """The mean of a histogram over a minute, by labels."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by)
    total, number = (
        f"sum{_by(*by)} (rate({metric.name}_{part}[1m]))" for part in ("sum", "count")
    )
    return Query(f"{total} / ({number} > 0)", f"mean {legend}".strip())


def rule(name: str, legend: str) -> Query:
    """A recording rule of deploy/prometheus/rules."""
    return Query(name, legend)


def limit(name: str) -> Query:
    """A limit of deploy/prometheus/rules/limits.yml, as a line."""
    return Query(f"graft:limit:{name}", "limit of the alert")


def age(metric: Metric, legend: str) -> Query:
    """Seconds since a time."""
    return Query(f"time() - {metric.name}", legend)


def _by(*labels: str) -> str:
    return f" by ({', '.join(labels)})" if labels else ""
