"""The task's metrics on answers that users corrected."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from graft.config import EvaluateConfig
from graft.evaluation.scoring import of_system, score
from graft.metrics import get_metrics
from graft.monitoring.feedback import RatedAnswer
from graft.monitoring.quality.answers import corrected, predictions_of


def to_scores(
    table: pa.Table, feedback: Iterable[RatedAnswer], evaluate: EvaluateConfig
) -> dict[str, dict[str, Any]]:
    """Scores of each version's corrected answers by metric, with 95 % intervals.

    Metrics that need more than the answer and its reference are left out.

    Args:
        table: of the request log; without texts there are no scores.
        feedback: in the order of its time.
    """
    ratings = {rated.request: rated for rated in feedback}
    metrics, found = get_metrics(evaluate.metrics), {}
    for version, rows in corrected(predictions_of(table), ratings).items():
        scores = of_system(score(rows, metrics, evaluate).overall, "tuned")
        found[version] = {
            name: {
                "number": len(rows),
                "value": one.value,
                "low": one.low,
                "high": one.high,
            }
            for name, one in scores.items()
        }
    return found
