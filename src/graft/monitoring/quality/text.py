"""The quality report in words, for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

SHARES = {
    "completed": "completed",
    "good": "rated good",
    "guarded": "changed by guards",
    "refusals": "refusals",
    "repetitive": "repetitive",
    "cut": "cut at the limit",
}
MEANS = {
    "completion_tokens": "tokens of an answer",
    "completion_chars": "characters of an answer",
}
UNKNOWN = "unknown"


def to_text(report: Mapping[str, Any]) -> str:
    """The report as text."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    yield f"{report['num_requests']} requests, {report['num_ratings']} ratings"
    if lost := report["num_ratings_without_request"]:
        yield f"  {lost} ratings of requests that are not in the log in this time"
    for row in report["versions"]:
        yield ""
        yield f"{row['version']}, {row['group']}: {row['num_requests']} requests"
        for name, words in SHARES.items():
            yield f"  {words:<24} {_share(row[name])}"
        for name, words in MEANS.items():
            yield f"  {words:<24} {_mean(row[name])}"
    if report["evaluated_chars"]["number"]:
        yield ""
        yield f"characters in the evaluation {_mean(report['evaluated_chars'])}"
    for title, part in (("Corrected answers", "corrections"), ("Grades", "grades")):
        for version, values in report.get(part, {}).items():
            yield ""
            yield f"{title} of {version}"
            for name, value in values.items():
                yield f"  {name:<24} {_mean(value)}"


def _share(value: Mapping[str, Any]) -> str:
    if value["value"] is None:
        return UNKNOWN
    part, low, high = (100 * value[name] for name in ("value", "low", "high"))
    return f"{part:.1f} %   95 % {low:.1f} to {high:.1f}   of {value['number']}"


def _mean(value: Mapping[str, Any]) -> str:
    if value["value"] is None:
        return UNKNOWN
    text = f"{value['value']:.2f}"
    if value["low"] is not None:
        text += f"   95 % {value['low']:.2f} to {value['high']:.2f}"
    return f"{text}   of {value['number']}"
