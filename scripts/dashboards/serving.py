"""The dashboard of `graft serve`."""

from dashboards.panels import (
    Dashboard,
    Panel,
    growth,
    last,
    limit,
    mean,
    quantile,
    rate,
    rule,
)
from graft.monitoring.names import Serving as S

SERVING = Dashboard(
    "serving",
    "graft: serving",
    "What users experience, by version, and what the engine does.",
    (
        (
            "Answers",
            (
                Panel(
                    "Requests per second",
                    "reqps",
                    "By group (main, canary, shadow) and outcome.",
                    (rate(S.REQUESTS, "group", "outcome"),),
                ),
                Panel(
                    "Failed answers",
                    "percentunit",
                    "Part of the answers of a version that failed or met the deadline.",
                    (
                        rule("graft:error_ratio:1m", "{{group}} {{version}}"),
                        limit("error_ratio"),
                    ),
                ),
                Panel(
                    "Feedback per hour",
                    "short",
                    "Ratings by users.",
                    (growth(S.FEEDBACK, "version", "verdict"),),
                ),
                Panel(
                    "Latency",
                    "s",
                    "From the arrival of a request to the last byte of its answer.",
                    (
                        quantile(0.5, S.DURATION, "version"),
                        quantile(0.95, S.DURATION, "version"),
                        limit("latency_p95_seconds"),
                    ),
                ),
                Panel(
                    "Time to first token",
                    "s",
                    "Waiting for a slot included.",
                    (
                        quantile(0.5, S.FIRST_TOKEN, "version"),
                        quantile(0.95, S.FIRST_TOKEN, "version"),
                    ),
                ),
                Panel(
                    "Time per token",
                    "s",
                    "Between two tokens of a request, after the first.",
                    (mean(S.PER_TOKEN, "version"),),
                ),
                Panel(
                    "Tokens of a request",
                    "short",
                    "Means; a jump of the output shows a version that does not stop.",
                    (mean(S.TOKENS, "version", "token_type"),),
                ),
                Panel(
                    "Ends of answers",
                    "cps",
                    "stop: the model ended it; length: the limit of tokens did.",
                    (rate(S.FINISHES, "version", "finish"),),
                ),
                Panel(
                    "Guards",
                    "cps",
                    "How often output guards changed an answer.",
                    (rate(S.GUARDS, "version", "guard"),),
                ),
            ),
        ),
        (
            "Engine and admission",
            (
                Panel(
                    "Completions",
                    "short",
                    "Generated now, and waiting for a slot.",
                    (
                        last(S.RUNNING, "running {{instance}}"),
                        last(S.WAITING, "waiting {{instance}}"),
                        limit("waiting"),
                    ),
                ),
                Panel(
                    "Key-value cache",
                    "percentunit",
                    "Part of the slots in use.",
                    (last(S.CACHE),),
                ),
                Panel(
                    "Tokens of open requests",
                    "short",
                    "At most serving.max_open_tokens.",
                    (last(S.OPEN_TOKENS),),
                ),
                Panel(
                    "Refused requests",
                    "cps",
                    "By the code of the error.",
                    (rate(S.REJECTED, "reason"),),
                ),
                Panel(
                    "Engine",
                    "bool_on_off",
                    "On while it runs.",
                    (last(S.ENGINE_UP),),
                ),
                Panel(
                    "Loaded versions",
                    "short",
                    "1 for each alias and its version.",
                    (last(S.LOADED, "{{alias}}: {{version}} {{instance}}"),),
                ),
            ),
        ),
        (
            "Request log and traces",
            (
                Panel(
                    "Rows per second",
                    "cps",
                    "Written to the request log.",
                    (rate(S.LOG_ROWS),),
                ),
                Panel(
                    "Losses per hour",
                    "short",
                    "Rows that were dropped, shards that were not copied, spans that "
                    "were not exported. All must be 0.",
                    (
                        growth(S.LOG_DROPPED, "reason"),
                        growth(S.LOG_UPLOAD_FAILURES),
                        growth(S.SPANS_DROPPED),
                    ),
                ),
                Panel(
                    "Size of the request log",
                    "bytes",
                    "At most monitoring.request_log.max_bytes.",
                    (last(S.LOG_BYTES),),
                ),
            ),
        ),
    ),
)
