"""A report as text."""

from graft.monitoring.canary.report import CanaryReport

MARKS = {
    "worse": "FAIL",
    "not_worse": "ok  ",
    "open": "?   ",
    "not_judged": "    ",
    "no_data": "-   ",
}


def to_text(report: CanaryReport) -> str:
    """The state with its reason, then each metric with its interval."""
    lines = [
        f"{report.state}: {report.reason}",
        f"canary {report.canary or '-'}: {report.num_canary:,} requests of "
        f"{report.clients_canary:,.1f} clients",
        f"champion {report.champion or '-'}: {report.num_main:,} requests of "
        f"{report.clients_main:,.1f} clients",
        f"time: {report.elapsed_s:,.0f} s" + ("; the canary ends" * report.ends),
    ]
    if report.sample_ratio is not None:
        lines.append(f"split: {report.sample_ratio.sentence}")
    lines += [f"{MARKS[one.verdict]}  {one.sentence}" for one in report.metrics]
    lines += [f"note: {note}" for note in report.notes]
    return "\n".join([*lines, ""])
