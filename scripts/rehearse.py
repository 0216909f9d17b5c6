"""Plant faults in what is served, and measure how soon they are taken back
(docs/ALERTS.md).

    python scripts/rehearse.py [--scale 3] [--folder DIR]

Exits with 1 if a bound is broken; the logs of all processes stay in the folder.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rehearsal.analyses import UNKNOWNS, rehearse_drift, rehearse_unknown
from rehearsal.outcome import Outcome
from rehearsal.panels import find_empty_panels
from rehearsal.processes import require
from rehearsal.scenarios import disliked, faults, rehearse
from rehearsal.stage import Stage, open_stage


def main() -> None:
    """Run all scenarios and print their table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument(
        "--scale",
        type=float,
        default=float(os.environ.get("REHEARSAL_SCALE", "1")),
        help="how much longer than on two quiet cores everything may take",
    )
    parser.add_argument(
        "--folder", type=Path, help="for logs; default: a temporary one"
    )
    words = parser.parse_args()
    require("prometheus", "prometheus-alertmanager")
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    folder = words.folder or Path(tempfile.mkdtemp(prefix="rehearsal-"))
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with open_stage(folder, words.scale) as stage:
        print(f"ready after {time.monotonic() - start:.0f} s; logs: {folder}")
        outcomes = []
        for outcome in rehearse_all(stage):
            outcomes.append(outcome)
            seconds = time.monotonic() - start
            print(f"  {outcome.name}: done after {seconds:.0f} s", flush=True)
        empty = find_empty_panels(stage)
    print(to_table(outcomes))
    for one in empty:
        print(f"no data, {one.reason or 'and it should have'}: {one.text}")
    print(f"{time.monotonic() - start:.0f} s in all")
    problems = [f"{o.name}: {text}" for o in outcomes for text in o.problems]
    if not stage.collector.num_messages:
        problems.append("no span has reached the collector")
    problems += [f"no data in {one.text}" for one in empty if not one.reason]
    if problems:
        sys.exit("\n".join(["error: bounds are broken", *problems]))


def rehearse_all(stage: Stage) -> Iterator[Outcome]:
    """All scenarios, one after the other."""
    for fault in faults(stage.scale):
        yield rehearse(stage, fault)
    for unknown in UNKNOWNS:
        yield rehearse_unknown(stage, unknown)
    yield rehearse_drift(stage)
    yield rehearse(stage, disliked())


def to_table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as a Markdown table; limits are in brackets."""
    lines = [
        "| fault | alert, s | last bad answer, s | bad | requests | lost | end |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in outcomes:
        alert = _seconds(one.alert_s, one.limits.alert_s)
        bad = _seconds(one.bad_s, one.limits.bad_s)
        lines.append(
            f"| {one.name} | {alert} | {bad} | {one.num_bad} | {one.num_sent} | "
            f"{one.num_lost} | {one.end[:100]} |"
        )
    return "\n".join(lines)


def _seconds(value: float | None, limit: float) -> str:
    return "–" if value is None else f"{value:.1f} (≤{limit:g})"


if __name__ == "__main__":
    main()
