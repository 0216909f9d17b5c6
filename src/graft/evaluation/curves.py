"""The loss curves of training."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

Curve = Sequence[tuple[int, float]]
"""Optimizer steps in ascending order, with losses in nats per token."""
Curves = Mapping[str, Curve]


def read_curves(folder: Path) -> Curves:
    """Train and validation losses written by stage train; empty if there are none.
    NaN and infinite values are left out."""
    found: dict[str, Curve] = {}
    for name in ("train", "validation"):
        if (path := folder / f"{name}.csv").is_file():
            with path.open(encoding="utf-8", newline="") as file:
                rows = [
                    (int(r["step"]), float(r["loss"])) for r in csv.DictReader(file)
                ]
            found[name] = [(step, loss) for step, loss in rows if math.isfinite(loss)]
    return {name: curve for name, curve in found.items() if curve}
