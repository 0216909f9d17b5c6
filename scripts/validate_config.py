"""Check all configurations of configs/, and that params.yaml is up to date.

    python scripts/validate_config.py            everything
    python scripts/validate_config.py data=csv   one composition, with overrides

All errors are printed at once, each with its file and key.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from graft.config.compose import CONFIGS, compose, differences
from graft.config.params import check_params
from graft.errors import ConfigError
from graft.metrics import METRICS
from graft.tasks import TASKS

EXPERIMENT = "experiment"
"""The group that is not in the defaults list, so that its override needs a plus."""


def faults_of(overrides: Sequence[str] = ()) -> list[str]:
    """The errors of a composition."""
    try:
        values = yaml.safe_load(compose(overrides))
    except ConfigError as error:
        return [error.problem]
    return [*_faults_of_values(values), *_unknown_names(values.get("task"))]


def _faults_of_values(values: Mapping[str, Any]) -> list[str]:
    try:
        check_params(values, "")
    except ConfigError as error:
        lines = error.problem.splitlines()[1:]  # the first line is a summary
        return [line.strip().removeprefix("- ") for line in lines]
    return []


def _unknown_names(task: object) -> Iterator[str]:
    """Errors for names that are not in a registry, which the section cannot check."""
    if not isinstance(task, dict):
        return
    asked = {
        "name": ([task.get("name")], TASKS),
        "metrics": (task.get("metrics"), METRICS),
    }
    for key, (names, known) in asked.items():
        for name in names if isinstance(names, list) else []:
            if isinstance(name, str) and name not in known:
                yield f"task.{key}: unknown {name!r}; one of {', '.join(known)}"


def all_faults() -> tuple[int, list[str]]:
    """The number of compositions, and all errors as `file: key: problem`.

    An error in the section of a group is attributed to the group's file.
    """
    choices = [path for path in sorted(CONFIGS.glob("*/*.yaml")) if path.stem != "base"]
    groups = {path.parent.name for path in choices}
    default = faults_of()
    found = [
        f"{CONFIGS}/config.yaml: {fault}"
        for fault in default
        if fault.partition(".")[0].partition(":")[0] not in groups
    ]
    for path in choices:
        group = path.parent.name
        plus = "+" if group == EXPERIMENT else ""
        found += [
            f"{path}: {fault}"
            for fault in faults_of([f"{plus}{group}={path.stem}"])
            if fault not in default or fault.startswith((f"{group}.", f"{group}:"))
        ]
    if not default:
        try:
            found += [f"params.yaml: {line}" for line in differences(compose())]
        except ConfigError as error:
            found.append(f"{error.where}: {error.problem}")
    return 1 + len(choices), found


def main(overrides: Sequence[str]) -> int:
    """Print all errors; returns 1 if there are any."""
    if overrides:
        count = 1
        found = [f"{' '.join(overrides)}: {line}" for line in faults_of(overrides)]
    else:
        count, found = all_faults()
    for line in found:
        print(f"error: {line}", file=sys.stderr)
    if found:
        print("  fix: correct these, then: graft params", file=sys.stderr)
        return 1
    print(f"{count} compositions are valid")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
