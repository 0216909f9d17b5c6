"""The test examples as a table that MLflow shows in a run: prompt, reference, both
answers, and the scores of each."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from graft.evaluation.scoring import DIGITS, choose_samples, to_segments
from graft.metrics import Metric
from graft.records import Prediction

MOST_ROWS = 2000
"""MLflow's page loads the whole table; `predictions` has all examples."""
MOST_METRICS = 4
COLUMNS = ("prompt", "tuned", "reference", "base", "stratum", "id")
"""MLflow's comparison of runs groups by the first column and shows the second."""


def to_example_table(
    predictions: Sequence[Prediction], metrics: Sequence[Metric]
) -> dict[str, Any]:
    """Columns and rows, as `mlflow.log_table` writes them; equal predictions give an
    equal table.

    The score of an example is the metric of this example alone. Corpus metrics such as
    BLEU are not the mean of them.

    Args:
        predictions: with more than `MOST_ROWS`, a fixed sample, spread over the strata.
        metrics: that can be computed; the first of them are shown.
    """
    rows = choose_samples(predictions, MOST_ROWS)
    names, columns = list(COLUMNS), []
    for metric in metrics[:MOST_METRICS]:
        for system in ("base", "tuned"):
            terms, _ = metric.statistics(to_segments(rows, system))
            scores = np.round(metric.value(terms), DIGITS)
            names.append(f"{metric.name} ({system})")
            columns.append([float(one) if np.isfinite(one) else None for one in scores])
    texts = [
        (
            one.prompt,
            one.tuned,
            "\n".join(one.references),
            one.base,
            one.stratum,
            one.id,
        )
        for one in rows
    ]
    scored = zip(*columns, strict=True) if columns else [()] * len(rows)
    data = [[*text, *score] for text, score in zip(texts, scored, strict=True)]
    return {"columns": names, "data": data}
