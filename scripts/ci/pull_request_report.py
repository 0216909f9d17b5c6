"""The report of a pull request as Markdown: pull_request_report.py FOLDER PROJECT.

FOLDER has params.md, metrics.md and perhaps compare.md; PROJECT the outputs of the
pipeline: curves/ and evaluation/samples.json.
"""

import csv
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

_SAMPLES = 5
_POINTS = 40
_CHARS = 300


def to_report(folder: Path, project: Path) -> str:
    """The whole report; a part without its file is left out."""
    parts = [
        ("Metrics", _text(folder / "metrics.md")),
        ("Before and after, on the same test set", _text(folder / "compare.md")),
        ("Parameters", _text(folder / "params.md")),
        ("Loss", _curves(project / "curves")),
        ("Sample answers", _samples(project / "evaluation/samples.json")),
    ]
    found = [
        f"### {title}\n\n{text.strip()}\n" for title, text in parts if text.strip()
    ]
    return "\n".join(found or ["Nothing that DVC tracks differs.\n"])


def thin(values: Sequence[float], limit: int = _POINTS) -> list[float]:
    """At most `limit` values at equal distances, with the first and the last."""
    if len(values) <= limit:
        return list(values)
    step = (len(values) - 1) / (limit - 1)
    return [values[round(place * step)] for place in range(limit)]


def to_cell(text: object) -> str:
    """A text as a cell of a table: no markup of GitHub acts, and nobody is notified."""
    line = " ".join(str(text).split())
    line = line if len(line) <= _CHARS else f"{line[:_CHARS - 1]}…"
    line = line.replace("`", "'").replace("|", "\\|")
    return f"`` {line} ``" if line else ""


def _text(file: Path) -> str:
    return file.read_text("utf-8") if file.is_file() else ""


def _curves(folder: Path) -> str:
    """A chart of each curve of stage train, which GitHub draws."""
    charts = []
    for file in sorted(folder.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as rows:
            points = [
                (int(row["step"]), float(row["loss"])) for row in csv.DictReader(rows)
            ]
        points = [point for point in points if math.isfinite(point[1])]
        if len(points) < 2:
            continue
        values = ", ".join(f"{loss:.4g}" for loss in thin([loss for _, loss in points]))
        charts.append(
            f'```mermaid\nxychart-beta\n  title "{file.stem}"\n'
            f'  x-axis "step" {points[0][0]} --> {points[-1][0]}\n'
            f'  y-axis "loss"\n  line [{values}]\n```'
        )
    return "\n\n".join(charts)


def _samples(file: Path) -> str:
    if not file.is_file():
        return ""
    lines = ["| prompt | reference | base | tuned |", "|---|---|---|---|"]
    for row in json.loads(file.read_text("utf-8"))[:_SAMPLES]:
        references = row.get("references") or [row.get("reference", "")]
        cells = (row["prompt"], references[0], row["base"], row["tuned"])
        lines.append(f"| {' | '.join(map(to_cell, cells))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(to_report(*map(Path, sys.argv[1:])), end="")
