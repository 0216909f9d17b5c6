"""Names, labels and buckets of all metrics.

Where OpenTelemetry's semantic conventions for generative AI (version 1.37, docs/gen-ai/
gen-ai-metrics.md; the buckets are the same in their present repository,
open-telemetry/semantic-conventions-genai) define a metric, its name and buckets are
theirs, in the form that Prometheus gives them. Where vLLM has a gauge or a counter of
the same meaning, its name is used behind our prefix.
Labels have few values: never a user, a key, a prompt or a request.
"""

from collections.abc import Iterator

from graft.telemetry.names import Kind, Metric, Training

__all__ = ["Kind", "Metric", "Serving", "Training", "Watch", "all_metrics"]

DURATION_BUCKETS_S = tuple(0.01 * 2**power for power in range(14))
FIRST_TOKEN_BUCKETS_S = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1),
    *(0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
PER_TOKEN_BUCKETS_S = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2),
    *(0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
)
TOKEN_BUCKETS = tuple(4.0**power for power in range(14))


class Serving:
    """Exported by `graft serve`."""

    DURATION = Metric(
        "gen_ai_server_request_duration_seconds",
        "histogram",
        "Time from the arrival of a request to the last byte of its answer.",
        ("version", "route", "outcome"),
        DURATION_BUCKETS_S,
    )
    FIRST_TOKEN = Metric(
        "gen_ai_server_time_to_first_token_seconds",
        "histogram",
        "Time from the arrival of a request to its first token.",
        ("version", "route"),
        FIRST_TOKEN_BUCKETS_S,
    )
    PER_TOKEN = Metric(
        "gen_ai_server_time_per_output_token_seconds",
        "histogram",
        "Mean time between two tokens of a request, after the first.",
        ("version", "route"),
        PER_TOKEN_BUCKETS_S,
    )
    TOKENS = Metric(
        "gen_ai_client_token_usage",
        "histogram",
        "Tokens of a request; token_type is input or output.",
        ("version", "token_type"),
        TOKEN_BUCKETS,
    )
    REQUESTS = Metric(
        "graft_requests_total",
        "counter",
        "Requests that have ended; group is main, canary, shadow or none.",
        ("version", "group", "route", "outcome"),
    )
    FINISHES = Metric(
        "graft_request_finishes_total",
        "counter",
        "Choices that have ended, by OpenAI's finish_reason.",
        ("version", "finish"),
    )
    GUARDS = Metric(
        "graft_guard_actions_total",
        "counter",
        "Actions of output guards.",
        ("version", "guard"),
    )
    RUNNING = Metric(
        "graft_num_requests_running", "gauge", "Completions that are generated now."
    )
    WAITING = Metric(
        "graft_num_requests_waiting", "gauge", "Completions that wait for a slot."
    )
    CACHE = Metric(
        "graft_kv_cache_usage_ratio",
        "gauge",
        "Part of the key-value cache's slots that is in use.",
    )
    OPEN_TOKENS = Metric(
        "graft_open_tokens", "gauge", "Tokens that the open requests may need."
    )
    REJECTED = Metric(
        "graft_requests_rejected_total",
        "counter",
        "Requests that were not admitted; reason is the error's code.",
        ("reason",),
    )
    LOADED = Metric(
        "graft_loaded_version_info",
        "gauge",
        "1 for each alias and the version that it has here.",
        ("alias", "version"),
    )
    REFUSED = Metric(
        "graft_versions_refused",
        "gauge",
        "Versions that an alias has and that were refused by their checks.",
    )
    ENGINE_UP = Metric("graft_engine_up", "gauge", "1 while the engine runs.")
    FEEDBACK = Metric(
        "graft_feedback_total",
        "counter",
        "Ratings by users; verdict is good or bad.",
        ("version", "verdict"),
    )
    LOG_ROWS = Metric(
        "graft_request_log_rows_total", "counter", "Rows written to the request log."
    )
    LOG_DROPPED = Metric(
        "graft_request_log_dropped_total",
        "counter",
        "Rows that the request log lost; reason is queue_full, write_failed or quota.",
        ("reason",),
    )
    LOG_BYTES = Metric(
        "graft_request_log_bytes", "gauge", "Size of the request log on disk."
    )
    LOG_UPLOAD_FAILURES = Metric(
        "graft_request_log_upload_failures_total",
        "counter",
        "Attempts to copy a shard of the request log to its remote that failed.",
    )
    SPANS_DROPPED = Metric(
        "graft_trace_spans_dropped_total",
        "counter",
        "Spans that could not be exported.",
    )


class Watch:
    """Exported by `graft watch`."""

    DRIFT = Metric(
        "graft_drift_statistic",
        "gauge",
        "Distance of the last window from the training data.",
        ("feature",),
    )
    DRIFT_THRESHOLD = Metric(
        "graft_drift_threshold",
        "gauge",
        "Above it a feature has drifted, at the stated false-alarm rate.",
        ("feature",),
    )
    DRIFT_DETECTED = Metric(
        "graft_drift_detected", "gauge", "1 if a feature has drifted.", ("feature",)
    )
    DRIFT_WINDOW = Metric(
        "graft_drift_window_requests", "gauge", "Requests of the last window."
    )
    DRIFT_TIME = Metric(
        "graft_drift_last_success_timestamp_seconds",
        "gauge",
        "UTC time of the last complete drift analysis, since 1970.",
    )
    CANARY_STATE = Metric(
        "graft_canary_state",
        "gauge",
        "1 for the state of the canary analysis, 0 for the others.",
        ("state",),
    )
    CANARY_REQUESTS = Metric(
        "graft_canary_requests",
        "gauge",
        "Requests that the canary analysis has seen.",
        ("group",),
    )
    CANARY_TIME = Metric(
        "graft_canary_last_success_timestamp_seconds",
        "gauge",
        "UTC time of the last canary analysis that worked, since 1970.",
    )
    DECISIONS = Metric(
        "graft_registry_decisions_total",
        "counter",
        "Decisions in the decision log, by action.",
        ("action",),
    )
    CHAMPION = Metric(
        "graft_registry_champion_info",
        "gauge",
        "1 for the version that has the alias champion.",
        ("version",),
    )
    REGISTRY_UP = Metric(
        "graft_registry_up", "gauge", "1 if the registry answered the last time."
    )
    ALERTS = Metric(
        "graft_alerts_received_total",
        "counter",
        "Alerts received from Alertmanager, by what followed.",
        ("alert", "outcome"),
    )
    NOTIFICATIONS_FAILED = Metric(
        "graft_notifications_failed_total",
        "counter",
        "Notifications that could not be sent.",
    )


def all_metrics() -> Iterator[Metric]:
    """All metrics of all groups."""
    for group in (Serving, Training, Watch):
        for value in vars(group).values():
            if isinstance(value, Metric):
                yield value
