"""What a metric is, and the metrics of training."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True)
class Metric:
    """One metric, as Prometheus stores it; a counter's name ends in `_total`."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


class Training:
    """Exported by a training run."""

    STEP = Metric("graft_training_step", "gauge", "Optimizer updates done.")
    LOSS = Metric(
        "graft_training_loss", "gauge", "Mean training loss since the last reading."
    )
    GRADIENT_NORM = Metric(
        "graft_training_gradient_norm",
        "gauge",
        "Mean before clipping since the last reading.",
    )
    SPEED = Metric(
        "graft_training_tokens_per_second", "gauge", "Tokens trained per second."
    )
    MFU = Metric(
        "graft_training_mfu_ratio",
        "gauge",
        "Model FLOPs utilization; absent where the hardware's peak is unknown.",
    )
    MEMORY = Metric(
        "graft_training_memory_bytes", "gauge", "Peak memory of the training device."
    )
    LAST_STEP = Metric(
        "graft_training_last_step_timestamp_seconds",
        "gauge",
        "UTC time of the last reading of a step, since 1970.",
    )
    RUNNING = Metric("graft_training_running", "gauge", "1 until the run has ended.")
    FAILED = Metric(
        "graft_training_failed",
        "gauge",
        "1 if an error has ended the run, such as a loss that is infinite or explodes.",
    )
