"""Whether every panel of the dashboards has data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dashboards import DASHBOARDS
from rehearsal.prometheus import Prometheus

WITHOUT_DATA: Mapping[str, str] = {
    "training: ": "nothing is trained while it is served",
    "serving: Guards": "no answer has what the guards look for",
    "serving: Losses per hour: sum (increase(graft_trace_spans": "no traces are sent",
}
"""Beginnings of `DASHBOARD: TITLE: QUERY` that may have none, and why."""


@dataclass(frozen=True)
class EmptyPanel:
    """A query without series.

    Args:
        reason: why that is as it should be; empty: it is not.
    """

    text: str
    reason: str


def empty_panels(monitor: Prometheus) -> Iterator[EmptyPanel]:
    """The queries of panels that have no series.

    Raises: OSError if Prometheus refuses a query.
    """
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            for query in panel.queries:
                if not monitor.query(query.expression):
                    text = f"{dashboard.name}: {panel.title}: {query.expression}"
                    starts = (one for one in WITHOUT_DATA if text.startswith(one))
                    yield EmptyPanel(text, WITHOUT_DATA.get(next(starts, ""), ""))
