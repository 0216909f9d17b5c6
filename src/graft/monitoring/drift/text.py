"""A drift report on a terminal, and the rows that moved."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from graft import io
from graft.monitoring.drift.report import STATES, DriftReport, FeatureDrift
from graft.monitoring.drift.stream import Alarm

HEAD = ("feature", "", "distance", "threshold", "p", "PSI", "training", "requests")


def to_text(report: DriftReport, alarms: Sequence[Alarm], where: str) -> str:
    """The report in lines. `where`: what was compared."""
    lines = [
        f"{where}: {report.num_requests:,} requests against {report.num_reference:,} "
        f"of {report.num_prompts:,} training prompts",
        f"{report.state.replace('_', ' ')}: {report.reason or STATES[report.state]}",
    ]
    if report.p_value is not None:
        lines.append(
            f"p = {report.p_value:.4f}; false alarms in "
            f"{report.false_alarm_rate:.0%} of windows without drift"
        )
        cells = [HEAD, *(_to_cells(one) for one in report.features)]
        lines += ["", *io.align(cells, right=range(2, len(HEAD)))]
    if alarms:
        first = alarms[0]
        at = f"request {first.request:,} ({first.feature})"
        lines += ["", f"stream: {len(alarms):,} alarms, the first at {at}"]
    return "\n".join(lines)


def _to_cells(one: FeatureDrift) -> tuple[str, ...]:
    means = [f"{mean:.3g}" for mean in one.means or ()] or ["", ""]
    return (
        one.feature,
        "drifted" if one.drifted else "",
        f"{one.statistic:.3f}",
        f"{one.threshold:.3f}",
        f"{one.p_value:.4f}",
        f"{one.psi:.2f}",
        *means,
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
