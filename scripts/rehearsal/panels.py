"""Whether every panel of the dashboards has data."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from dashboards import DASHBOARDS
from rehearsal.panel_data import guarded_fields, training
from rehearsal.processes import wait_for
from rehearsal.prometheus import Prometheus
from rehearsal.stage import Stage

DATA_S = 80.0
"""Within which a training has to begin and to be scraped."""

WITHOUT_DATA: Mapping[str, str] = {
    "training: Model FLOPs utilization": "the peak of a processor is unknown",
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


def find_empty_panels(stage: Stage) -> list[EmptyPanel]:
    """The queries of panels that have no series while a training runs, and after an
    answer on which a guard acted."""
    folder = stage.folder / "training"
    folder.mkdir()
    with training(stage.store.params, folder, stage.training_port):
        stage.load.ask("user of the guards", "Hello.", **guarded_fields())

        def have_data() -> bool:
            return all(one.reason for one in empty_panels(stage.monitor))

        with suppress(TimeoutError):  # what is still empty is reported
            wait_for("data of all panels", have_data, DATA_S * stage.scale)
        return list(empty_panels(stage.monitor))


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
