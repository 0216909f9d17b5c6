"""`graft quality`: the quality of versions in production."""

import time
from pathlib import Path
from typing import Any

from graft.config import EvaluateConfig, MonitoringConfig
from graft.errors import ConfigError


def run(
    monitoring: MonitoringConfig,
    evaluate: EvaluateConfig,
    *,
    hours: float = 24.0,
    predictions: Path | None = None,
    labels: list[Path] | None = None,
    key: Path = Path("review/key.json"),
    json: bool = False,
) -> dict[str, Any] | None:
    """Report ratings, guards, refusals, repetition and lengths of each version from the
    request log and feedback, with 95 % intervals.

    Where the log has texts, users' corrections are the references of the task's
    metrics. Corrected answers are mostly the worse ones.

    Args:
        hours: before now; requests of this time are read.
        predictions: table of stage generate of the version that is served, to compare
            the lengths of answers.
        labels: completed sheets of graft review --requests.
        key: key of these sheets.
        json: print one JSON document instead of text.
    """
    from graft.evaluation.predictions import read_predictions
    from graft.evaluation.review.key import read_key
    from graft.evaluation.review.responses import read_responses
    from graft.monitoring.feedback import read_feedback
    from graft.monitoring.quality import answers, online
    from graft.monitoring.quality.labels import to_grades
    from graft.monitoring.quality.report import COLUMNS, to_report
    from graft.monitoring.quality.text import to_text
    from graft.monitoring.request_log import read_rows

    folder, since_ms = monitoring.request_log.folder, _since_ms(hours)
    if folder is None:
        raise ConfigError(
            "monitoring.request_log.folder",
            "is null: there is no request log",
            expected="the folder that graft serve writes",
            fix="set it, and serve again",
        )
    columns = list(dict.fromkeys([*COLUMNS, *answers.COLUMNS]))
    rows = read_rows(Path(folder), since_ms=since_ms, columns=columns)
    place = monitoring.feedback.folder
    feedback = list(read_feedback(Path(place), since_ms=since_ms)) if place else []
    rows_of_evaluation = read_predictions(predictions) if predictions else []
    report = to_report(rows, feedback, [len(row.tuned) for row in rows_of_evaluation])
    report["corrections"] = online.to_scores(rows, feedback, evaluate)
    if labels:
        known = read_key(key)
        cells = [cell for path in labels for cell in read_responses(path, known)]
        report["grades"] = to_grades(known, cells)
    print(to_text(report), end="")
    return report if json else None


def _since_ms(hours: float) -> int:
    if hours <= 0:
        raise ConfigError("--hours", f"is {hours}", expected="more than 0")
    return round(1000 * (time.time() - 3600 * hours))
