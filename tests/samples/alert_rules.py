"""The committed rules of Prometheus, as values."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/prometheus"


def read_yaml(path: Path) -> Any:
    """The value of a YAML file."""
    return yaml.safe_load(path.read_text("utf-8"))


def rules() -> Iterator[dict[str, Any]]:
    """All rules of all files."""
    for path in sorted((FOLDER / "rules").glob("*.yml")):
        for group in read_yaml(path)["groups"]:
            yield from group["rules"]


def alerts() -> list[dict[str, Any]]:
    """The rules that raise alerts."""
    return [rule for rule in rules() if "alert" in rule]
