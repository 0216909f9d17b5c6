"""The dashboard of drift: requests against the training data."""

from dashboards.panels import Dashboard, Panel, Query, age, last
from graft.monitoring.names import Watch as W

DATA = Dashboard(
    "data",
    "graft: data and drift",
    "How far requests are from the training data.",
    (
        (
            "Drift",
            (
                Panel(
                    "Statistics relative to their thresholds",
                    "percentunit",
                    "Above 100 % a feature has drifted.",
                    (
                        Query(
                            f"{W.DRIFT.name} / {W.DRIFT_THRESHOLD.name}", "{{feature}}"
                        ),
                    ),
                ),
                Panel(
                    "Drifted features",
                    "short",
                    "1 for each feature that has drifted.",
                    (last(W.DRIFT_DETECTED, "{{feature}}"),),
                ),
                Panel(
                    "Requests of the window",
                    "short",
                    "Fewer than monitoring.drift.min_requests are not analysed.",
                    (last(W.DRIFT_WINDOW, "requests"),),
                ),
                Panel(
                    "Age of the last analysis",
                    "s",
                    "Every monitoring.drift.every_s seconds, if there is traffic.",
                    (age(W.DRIFT_TIME, "seconds"),),
                ),
            ),
        ),
    ),
)
