"""Check every configuration that configs/ can make, and that params.yaml is one.

    python scripts/validate_config.py            everything
    python scripts/validate_config.py data=csv   one composition, with overrides

All faults are told at once, each with its file and key.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from graft.composition import CONFIGS, compose, differences
from graft.errors import GraftError
from graft.metrics import get_metrics
from graft.params import check_params
from graft.tasks import get_task


def every_choice() -> Iterator[tuple[Path, list[str]]]:
    """Each file of a group, and the overrides that choose it."""
    yield CONFIGS / "config.yaml", []
    for path in sorted(CONFIGS.glob("*/*.yaml")):
        if path.stem != "base":  # what its group's members start from
            yield path, [f"{path.parent.name}={path.stem}"]


def faults_of(overrides: Sequence[str]) -> list[str]:
    """What is wrong with a composition; empty if nothing is."""
    try:
        params = check_params(yaml.safe_load(compose(overrides)), "")
        get_task(params.task.name)
        get_metrics(params.task.metrics)
    except GraftError as error:
        lines = [line.strip().removeprefix("- ") for line in error.problem.splitlines()]
        return lines[1:] or [f"{error.where}: {lines[0]}".removeprefix(": ")]
    return []


def main() -> int:
    """Print all faults; returns how many there are, at most 1."""
    if overrides := sys.argv[1:]:
        found = [f"{' '.join(overrides)}: {line}" for line in faults_of(overrides)]
        count = 1
    else:
        default = faults_of([])
        found = [f"{CONFIGS}/config.yaml: {line}" for line in default]
        choices = list(every_choice())
        for path, chosen in choices[1:]:
            # What the default has too is told once.
            new = [line for line in faults_of(chosen) if line not in default]
            found += [f"{path}: {line}" for line in new]
        count = len(choices)
        if not default:
            found += [f"params.yaml: {line}" for line in differences(compose())]
    for line in found:
        print(f"error: {line}", file=sys.stderr)
    if found:
        print("  fix: correct these, then: graft params", file=sys.stderr)
    else:
        print(f"{count} compositions are valid")
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
