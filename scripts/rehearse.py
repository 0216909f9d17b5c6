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
from collections.abc import Sequence
from pathlib import Path

from rehearsal.panels import empty_panels
from rehearsal.processes import require
from rehearsal.scenarios import ALERT_S, RECOVERY_S, Outcome, faults, rehearse
from rehearsal.stage import open_stage


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
        for fault in faults(words.scale):
            outcomes.append(rehearse(stage, fault))
            print(f"  {fault.name}: done", flush=True)
        empty = empty_panels(stage.monitor)
    print(to_table(outcomes, words.scale))
    print(f"{len(empty)} queries of dashboards without data:", *empty, sep="\n  ")
    print(f"{time.monotonic() - start:.0f} s in all")
    if problems := [f"{o.name}: {text}" for o in outcomes for text in o.problems]:
        sys.exit("\n".join(["error: bounds are broken", *problems]))


def to_table(outcomes: Sequence[Outcome], scale: float) -> str:
    """The outcomes as a Markdown table."""
    lines = [
        f"| fault | alert, s (≤{ALERT_S * scale:g}) | last bad answer, s "
        f"(≤{RECOVERY_S * scale:g}) | bad answers | requests | lost | end |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in outcomes:
        alert = "–" if one.alert_s is None else f"{one.alert_s:.1f}"
        lines.append(
            f"| {one.name} | {alert} | {one.bad_s:.1f} | {one.num_bad} | "
            f"{one.num_sent} | {one.num_lost} | {one.state} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
