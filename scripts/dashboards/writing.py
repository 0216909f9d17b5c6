"""Dashboards as JSON, by Grafana's own SDK."""

from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef

from dashboards.panels import SOURCE, Dashboard, Panel

WIDTH, HEIGHT = 8, 8
"""Of a panel; a row is 24 wide."""


def to_json(dashboard: Dashboard) -> str:
    """The document that Grafana imports."""
    made = (
        grafana.Dashboard(dashboard.title)
        .uid(f"graft-{dashboard.name}")
        .description(dashboard.text)
        .tags(["graft"])
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-1h", "now")
        .refresh("10s")
        .readonly()
        .with_variable(
            grafana.DatasourceVariable(SOURCE).label("Prometheus").type("prometheus")
        )
    )
    for title, panels in dashboard.rows:
        made = made.with_row(grafana.Row(title))
        for panel in panels:
            made = made.with_panel(_to_panel(panel))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


def _to_panel(panel: Panel) -> timeseries.Panel:
    source = DataSourceRef(type_val="prometheus", uid=f"${{{SOURCE}}}")
    made = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.text)
        .unit(panel.unit)
        .datasource(source)
        .height(HEIGHT)
        .span(WIDTH)
    )
    for place, query in enumerate(panel.queries):
        made = made.with_target(
            Dataquery()
            .expr(query.expression)
            .legend_format(query.legend)
            .ref_id(chr(ord("A") + place))
            .range()
        )
    return made
