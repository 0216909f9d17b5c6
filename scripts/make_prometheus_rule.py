"""Write the rules of deploy/prometheus as an object of the Prometheus operator.

python scripts/make_prometheus_rule.py
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
RULES = ROOT / "deploy/prometheus/rules"
OUT = ROOT / "deploy/kubernetes/components/monitoring/prometheus-rule.yaml"
HEAD = "# Generated from deploy/prometheus by python scripts/make_prometheus_rule.py\n"


def to_object(files: Iterable[Path]) -> dict[str, Any]:
    """A PrometheusRule with the groups of all files, in the order of their names."""
    documents = [yaml.safe_load(file.read_text()) for file in sorted(files)]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "graft", "labels": {"release": "prometheus"}},
        "spec": {"groups": [group for one in documents for group in one["groups"]]},
    }


def to_text(files: Iterable[Path]) -> str:
    """The text of the file in deploy/kubernetes."""
    return HEAD + yaml.safe_dump(
        to_object(files), sort_keys=False, width=88, allow_unicode=True
    )


if __name__ == "__main__":
    OUT.write_text(to_text(RULES.glob("*.y*ml")))
