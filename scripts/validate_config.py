"""Validate all configurations in configs/, and check that params.yaml is up to date.

    python scripts/validate_config.py            all configurations
    python scripts/validate_config.py data=csv   one composition with overrides

All errors are printed together, each with its file and key.
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
"""A group that is not in the defaults list, so that its override requires a plus."""


def errors_of(overrides: Sequence[str] = ()) -> list[str]:
    """The errors of a composition."""
    try:
        values = yaml.safe_load(compose(overrides))
    except ConfigError as error:
        return [error.problem]
    return [*_value_errors(values), *_unknown_names(values.get("task"))]


def _value_errors(values: Mapping[str, Any]) -> list[str]:
    try:
        check_params(values, "")
    except ConfigError as error:
        lines = error.problem.splitlines()[1:]  # the first line is a summary
        return [line.strip().removeprefix("- ") for line in lines]
    return []


def _unknown_names(task: object) -> Iterator[str]:
    """Errors for names of tasks and metrics that do not exist."""
    if not isinstance(task, dict):
        return
    names_by_key = {
        "name": ([task.get("name")], TASKS),
        "metrics": (task.get("metrics"), METRICS),
    }
    for key, (names, registry) in names_by_key.items():
        for name in names if isinstance(names, list) else []:
            if isinstance(name, str) and name not in registry:
                expected = ", ".join(registry)
                yield f"task.{key}: unknown {name!r}; expected one of {expected}"


def all_errors() -> tuple[int, list[str]]:
    """The number of compositions, and all errors as `file: key: problem`.

    An error in the section of a group is attributed to the file of the group.
    """
    choices = [path for path in sorted(CONFIGS.glob("*/*.yaml")) if path.stem != "base"]
    groups = {path.parent.name for path in choices}
    default = errors_of()
    errors = [
        f"{CONFIGS}/config.yaml: {error}"
        for error in default
        if error.partition(".")[0].partition(":")[0] not in groups
    ]
    for path in choices:
        group = path.parent.name
        plus = "+" if group == EXPERIMENT else ""
        errors += [
            f"{path}: {error}"
            for error in errors_of([f"{plus}{group}={path.stem}"])
            if error not in default or error.startswith((f"{group}.", f"{group}:"))
        ]
    if not default:
        try:
            errors += [f"params.yaml: {line}" for line in differences(compose())]
        except ConfigError as error:
            errors.append(f"{error.where}: {error.problem}")
    return 1 + len(choices), errors


def main(overrides: Sequence[str]) -> int:
    """Print all errors; returns 1 if there are any."""
    if overrides:
        count = 1
        errors = [f"{' '.join(overrides)}: {line}" for line in errors_of(overrides)]
    else:
        count, errors = all_errors()
    for line in errors:
        print(f"error: {line}", file=sys.stderr)
    if errors:
        print("  fix: correct these errors, then run: graft params", file=sys.stderr)
        return 1
    print(f"{count} compositions are valid")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
