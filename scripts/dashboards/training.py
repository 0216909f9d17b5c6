"""The dashboard of training runs."""

from dashboards.panels import Dashboard, Panel, age, last
from graft.monitoring.names import Training as T

TRAINING = Dashboard(
    "training",
    "graft: training",
    "Whether a training learns, and how fast.",
    (
        (
            "Learning",
            (
                Panel("Loss", "short", "Of the last step.", (last(T.LOSS),)),
                Panel(
                    "Norm of the gradient",
                    "short",
                    "Before clipping. Growth without end shows a divergence.",
                    (last(T.GRADIENT_NORM),),
                ),
                Panel("Steps", "short", "Optimizer updates done.", (last(T.STEP),)),
            ),
        ),
        (
            "Speed",
            (
                Panel("Tokens per second", "short", "Trained.", (last(T.SPEED),)),
                Panel(
                    "Model FLOPs utilization",
                    "percentunit",
                    "Absent where the hardware's peak is unknown.",
                    (last(T.MFU),),
                ),
                Panel(
                    "Memory", "bytes", "Peak of the training device.", (last(T.MEMORY),)
                ),
                Panel(
                    "Seconds since the last step",
                    "s",
                    "While a training runs, an alert follows after ten minutes.",
                    (
                        age(T.LAST_STEP, "{{instance}}"),
                        last(T.RUNNING, "running {{instance}}"),
                    ),
                ),
            ),
        ),
    ),
)
