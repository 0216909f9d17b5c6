"""Whether every panel of the dashboards has data."""

from dashboards import DASHBOARDS
from rehearsal.prometheus import Prometheus


def empty_panels(monitor: Prometheus) -> list[str]:
    """The queries of panels that have no series, with their dashboard and title.

    Raises: OSError if Prometheus refuses a query.
    """
    return [
        f"{dashboard.name}: {panel.title}: {query.expression}"
        for dashboard in DASHBOARDS
        for panel in dashboard.panels
        for query in panel.queries
        if not monitor.query(query.expression)
    ]
