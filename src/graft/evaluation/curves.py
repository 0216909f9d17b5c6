"""The losses of the training that made an adapter."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

Curve = Sequence[tuple[int, float]]
"""Optimizer steps, rising, with the loss at each in nats a token."""
Curves = Mapping[str, Curve]


def read_curves(folder: Path) -> Curves:
    """Losses by part, train and validation, as stage train wrote them; empty if there
    are none. Values that are not finite are left out."""
    found: dict[str, Curve] = {}
    for name in ("train", "validation"):
        if (path := folder / f"{name}.csv").is_file():
            with path.open(encoding="utf-8", newline="") as file:
                rows = [
                    (int(r["step"]), float(r["loss"])) for r in csv.DictReader(file)
                ]
            found[name] = [(step, loss) for step, loss in rows if math.isfinite(loss)]
    return {name: curve for name, curve in found.items() if curve}
