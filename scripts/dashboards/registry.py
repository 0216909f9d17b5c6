"""The dashboard of canaries, decisions and alerts."""

from dashboards.panels import Dashboard, Panel, age, growth, last, rule
from graft.monitoring.names import Serving as S
from graft.monitoring.names import Watch as W

REGISTRY = Dashboard(
    "registry",
    "graft: registry and canaries",
    "Which version is champion, how its challenger does, and what was decided.",
    (
        (
            "Decisions",
            (
                Panel(
                    "Champion",
                    "short",
                    "In the registry, by version.",
                    (last(W.CHAMPION, "{{version}}"),),
                ),
                Panel(
                    "Decisions",
                    "short",
                    "In the decision log, by action, since its beginning.",
                    (last(W.DECISIONS, "{{action}}"),),
                ),
                Panel(
                    "Registry and refused versions",
                    "short",
                    "1: the registry answers; versions that serving refused.",
                    (
                        last(W.REGISTRY_UP, "registry up"),
                        last(S.REFUSED, "refused by {{instance}}"),
                    ),
                ),
            ),
        ),
        (
            "Canary",
            (
                Panel(
                    "State of the analysis",
                    "short",
                    "1 for the present state.",
                    (last(W.CANARY_STATE, "{{state}}"),),
                ),
                Panel(
                    "Requests of the analysis",
                    "short",
                    "By group.",
                    (last(W.CANARY_REQUESTS, "{{group}}"),),
                ),
                Panel(
                    "Age of the last analysis",
                    "s",
                    "Every monitoring.canary.every_s seconds.",
                    (age(W.CANARY_TIME, "seconds"),),
                ),
                Panel(
                    "Answers without an end",
                    "percentunit",
                    "Part of the answers that the limit of tokens ended, by version.",
                    (rule("graft:cut_ratio:1m", "{{version}}"),),
                ),
                Panel(
                    "Mean latency",
                    "s",
                    "By version; the canary's may be at most "
                    "graft:limit:canary_latency_ratio times the champion's.",
                    (rule("graft:mean_latency_seconds:1m", "{{version}}"),),
                ),
            ),
        ),
        (
            "Alerts",
            (
                Panel(
                    "Alerts per hour",
                    "short",
                    "Received by graft watch, by what followed.",
                    (growth(W.ALERTS, "alert", "outcome"),),
                ),
                Panel(
                    "Lost notifications per hour",
                    "short",
                    "Must be 0.",
                    (growth(W.NOTIFICATIONS_FAILED),),
                ),
            ),
        ),
    ),
)
