"""A drift report on a terminal, and the rows that moved."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from graft import io
from graft.monitoring.drift.analysis import usable_times
from graft.monitoring.drift.report import STATES, DriftReport, FeatureDrift
from graft.monitoring.drift.stream import Alarm

HEAD = ("feature", "", "training", "requests", "distance", "threshold", "p", "PSI")
SHARES = ("digits", "punctuation", "symbols", "capitals", "non_ascii")
"""Features that are shares of a prompt's bytes."""
NUM_NAMED = 2
"""Categories of each side."""


def to_text(
    report: DriftReport, alarms: Sequence[Alarm], rows: pa.Table, where: str
) -> str:
    """The report in lines.

    Args:
        rows: the requests.
        where: what they were compared with.
    """
    lines = [
        f"{where}: {report.num_requests:,} requests against {report.num_reference:,} "
        f"of {report.num_prompts:,} training prompts",
        f"{report.state.replace('_', ' ')}: {report.reason or STATES[report.state]}",
    ]
    if report.p_value is not None:
        lines.append(
            f"p = {report.p_value:.4f}; false alarms in "
            f"{100 * report.false_alarm_rate:g} % of windows without drift"
        )
        cells = [HEAD, *(_to_cells(one) for one in report.features)]
        lines += ["", *io.align(cells, right=range(2, len(HEAD)))]
    if times := list(to_times(report, alarms, rows)):
        lines += ["", *times]
    return "\n".join(lines)


def to_times(
    report: DriftReport, alarms: Sequence[Alarm], rows: pa.Table
) -> Iterator[str]:
    """Sentences on when the requests of the window arrived, and since when the stream
    has raised alarms."""
    times = usable_times(rows)
    if times and report.num_requests:
        first, last = times[-report.num_requests], times[-1]
        yield f"window: requests from {to_time(first)} to {to_time(last)}"
    if alarms:
        found = alarms[0]
        when = f", {to_time(times[found.request - 1])}" if times else ""
        many = "1 alarm" if len(alarms) == 1 else f"{len(alarms):,} alarms, the first"
        yield f"stream: {many} at request {found.request:,}{when} ({found.feature})"


def to_time(time_ms: int) -> str:
    """UTC, to the second. `time_ms`: since 1970."""
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def to_sides(one: FeatureDrift) -> tuple[str, str]:
    """What a feature is like in training and in the requests: means of a number, the
    most frequent categories, nothing for hashes."""
    if one.means:
        shown = [
            f"{100 * mean:.2f} %" if one.feature in SHARES else f"{mean:.3g}"
            for mean in one.means
        ]
        return shown[0], shown[1]
    training = [(category.reference, category.label) for category in one.bars]
    requests = [(category.window, category.label) for category in one.bars]
    return _to_named(training), _to_named(requests)


def _to_named(shares: list[tuple[float, str]]) -> str:
    largest = sorted(shares, reverse=True)[:NUM_NAMED]
    return ", ".join(
        f"{name} {100 * share:.0f} %" for share, name in largest if share >= 0.005
    )


def _to_cells(one: FeatureDrift) -> tuple[str, ...]:
    return (
        one.feature,
        "drifted" if one.drifted else "",
        *to_sides(one),
        f"{one.statistic:.3f}",
        f"{one.threshold:.3f}",
        f"{one.p_value:.4f}",
        f"{one.psi:.2f}",
    )


def moved_rows(
    report: DriftReport, rows: pa.Table, limit: int
) -> Iterator[dict[str, Any]]:
    """The rows that drifted most, the most first, with the texts that the log kept;
    rows without a text are left out. What users wrote twice is written once. A person
    writes the answer to train on to `correction`.

    Args:
        report: of these rows.
        rows: of the request log; `prompt` and `completions` are redacted there.
        limit: most rows.
    """
    seen = set[str]()
    for moved in report.moved:
        row = rows.slice(moved.row, 1).to_pylist()[0]
        prompt = row.get("prompt")
        if not prompt or prompt in seen:
            continue
        if len(seen) == limit:
            return
        seen.add(prompt)
        yield {
            "prompt": prompt,
            "completion": next(iter(row.get("completions") or ()), ""),
            "correction": "",
            "score": round(moved.score, 4),
            "time_ms": row.get("time_ms"),
            "version": row.get("version"),
        }
