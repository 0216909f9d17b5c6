"""The quality of each version in production, from the request log and feedback."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from graft.monitoring.feedback import RatedAnswer
from graft.monitoring.quality.intervals import mean, share

COLUMNS = (
    *("id", "outcome", "version", "group", "finishes", "guards", "num_refusals"),
    *("repetition", "num_completion_chars", "num_completion_tokens"),
)
"""Of the request log that the report reads."""
REPETITIVE = 0.5
"""Above this part of repeated n-grams, a completion counts as repetitive."""

Rows = Sequence[Mapping[str, Any]]


def to_report(
    table: pa.Table,
    feedback: Iterable[RatedAnswer],
    evaluated_chars: Sequence[int] = (),
) -> dict[str, Any]:
    """The report as JSON: for each version and group, rates with 95 % intervals.

    Args:
        table: `COLUMNS` of the request log.
        feedback: in the order of its time; the last rating of an answer counts.
        evaluated_chars: characters of the completions of the evaluation, to which those
            in production are compared.
    """
    groups = defaultdict[tuple[str, str], list[dict[str, Any]]](list)
    for row in table.select(COLUMNS).to_pylist():
        if row["version"] is not None:
            groups[row["version"], row["group"]].append(row)
    ratings = {rated.request: rated for rated in feedback}
    logged = {row["id"] for key, rows in groups.items() for row in rows}
    return {
        "num_requests": table.num_rows,
        "num_ratings": len(ratings),
        "num_ratings_without_request": len(ratings.keys() - logged),
        "evaluated_chars": asdict(mean(evaluated_chars)),
        "versions": [
            {"version": version, "group": group}
            | _of_group(rows, {} if group == "shadow" else ratings)
            for (version, group), rows in sorted(groups.items())
        ],
    }


def _of_group(rows: Rows, ratings: Mapping[str, RatedAnswer]) -> dict[str, Any]:
    done = [row for row in rows if row["outcome"] == "completed"]
    rated = [ratings[row["id"]] for row in rows if row["id"] in ratings]
    single = [row for row in done if len(row["finishes"]) == 1]
    number = len(done)
    return {
        "num_requests": len(rows),
        "num_corrections": sum(one.correction is not None for one in rated),
        "completed": asdict(share(number, len(rows))),
        "good": asdict(share(sum(one.verdict == "good" for one in rated), len(rated))),
        "guarded": asdict(share(sum(bool(row["guards"]) for row in done), number)),
        "refusals": asdict(share(sum(row["num_refusals"] > 0 for row in done), number)),
        "repetitive": asdict(
            share(sum((row["repetition"] or 0) > REPETITIVE for row in done), number)
        ),
        "cut": asdict(share(sum("length" in row["finishes"] for row in done), number)),
        "completion_tokens": asdict(
            mean([row["num_completion_tokens"] for row in single])
        ),
        "completion_chars": asdict(
            mean([row["num_completion_chars"] for row in single])
        ),
    }
