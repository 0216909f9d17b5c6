"""Served answers as predictions, which review sheets show and metrics score."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from graft.errors import ConfigError
from graft.monitoring.feedback import RatedAnswer
from graft.records import Prediction

COLUMNS = (
    *("id", "outcome", "version", "group", "prompt_language", "prompt", "completions"),
)
"""Of the request log that contain answers."""


def to_predictions(table: pa.Table, where: str) -> list[Prediction]:
    """An answer of each completed request, once for both systems of a prediction: it
    has no other answer to compare with. Answers to copies (shadow) are left out.

    The stratum is the version, the group, and the language of the prompt. Of requests
    with the same id, the last counts.

    Args:
        table: `COLUMNS` of the request log.
        where: the folder of the log.
    Raises: ConfigError if the log has no such text.
    """
    found = predictions_of(table)
    if not found:
        raise ConfigError(
            where,
            "has no answers with their texts in this time",
            expected="rows of completed requests, with prompt and completions",
            fix="set monitoring.request_log.texts=true and serve again: only requests "
            "after that are kept with their texts",
        )
    return found


def predictions_of(table: pa.Table) -> list[Prediction]:
    """As `to_predictions`; none if there are no texts."""
    rows = table.select(COLUMNS).to_pylist()
    return list({row.id: row for row in _predictions(rows)}.values())


def _predictions(rows: list[dict[str, Any]]) -> Iterator[Prediction]:
    for row in rows:
        if row["outcome"] != "completed" or not row["completions"]:
            continue
        if row["prompt"] is None or row["group"] == "shadow":
            continue
        answer = row["completions"][0]
        yield Prediction(
            id=row["id"],
            stratum=" ".join(
                [row["version"], row["group"], row["prompt_language"] or "unknown"]
            ),
            prompt=row["prompt"],
            references=[],
            base=answer,
            tuned=answer,
        )


def version_of(stratum: str) -> str:
    """The version of a stratum of `to_predictions`."""
    return stratum.rsplit(" ", 2)[0]


def corrected(
    predictions: list[Prediction], feedback: Mapping[str, RatedAnswer]
) -> dict[str, list[Prediction]]:
    """Answers with users' corrections as their references, by version.

    Args:
        feedback: by request.
    """
    found: dict[str, list[Prediction]] = {}
    for row in predictions:
        rated = feedback.get(row.id)
        if rated is not None and rated.correction is not None:
            version = version_of(row.stratum)
            fields = vars(row) | {"references": [rated.correction], "stratum": version}
            found.setdefault(version, []).append(Prediction(**fields))
    return dict(sorted(found.items()))
