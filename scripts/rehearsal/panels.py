"""Whether every panel of the dashboards has data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dashboards import DASHBOARDS
from rehearsal.prometheus import Prometheus

WITHOUT_DATA: Mapping[str, str] = {}
"""Parts of `DASHBOARD: TITLE` that may have none, and why."""


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
            name = f"{dashboard.name}: {panel.title}"
            reasons = [why for part, why in WITHOUT_DATA.items() if part in name]
            for query in panel.queries:
                if not monitor.query(query.expression):
                    text = f"{name}: {query.expression}"
                    yield EmptyPanel(text, next(iter(reasons), ""))
