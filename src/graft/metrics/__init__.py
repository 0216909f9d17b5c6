"""Scores of completions against references, with confidence intervals and paired
differences."""

from collections.abc import Mapping, Sequence

from graft.errors import ConfigError
from graft.metrics.answers import ANSWER_METRICS
from graft.metrics.bleu import BLEU_METRICS
from graft.metrics.bootstrap import resample
from graft.metrics.calls import CALL_METRICS
from graft.metrics.chrf import CHRF_METRICS
from graft.metrics.comparing import Comparison, compare
from graft.metrics.diversity import DIVERSITY_METRICS
from graft.metrics.final_answers import FINAL_ANSWER_METRICS
from graft.metrics.likelihood import LIKELIHOOD_METRICS
from graft.metrics.meteor import METEOR_METRICS
from graft.metrics.rouge import ROUGE_METRICS
from graft.metrics.statistics import Metric, Segments
from graft.metrics.steps import STEP_METRICS

__all__ = [
    "METRICS",
    "Comparison",
    "Metric",
    "Segments",
    "compare",
    "get_metrics",
    "resample",
]

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        *BLEU_METRICS,
        *CHRF_METRICS,
        *ROUGE_METRICS,
        *METEOR_METRICS,
        *ANSWER_METRICS,
        *STEP_METRICS,
        *FINAL_ANSWER_METRICS,
        *CALL_METRICS,
        *DIVERSITY_METRICS,
        *LIKELIHOOD_METRICS,
    )
}
"""All metrics, by their name in `evaluate.metrics`."""


def get_metrics(names: Sequence[str]) -> list[Metric]:
    """The named metrics. Raises: ConfigError with the names that do not exist."""
    if unknown := [name for name in names if name not in METRICS]:
        raise ConfigError(
            "evaluate.metrics",
            f"unknown metrics: {', '.join(unknown)}",
            expected=f"some of {', '.join(METRICS)}",
            fix="correct the task's file in configs/task, then: graft params",
        )
    return [METRICS[name] for name in names]
