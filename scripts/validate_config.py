"""Validate all configurations in configs/, and check that params.yaml is up to date.

    python scripts/validate_config.py            all configurations
    python scripts/validate_config.py data=csv   one composition with overrides

All errors are printed together, each with its file and key.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
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
    return [*_value_errors(values), *_unknown_names(values)]


def _value_errors(values: Mapping[str, Any]) -> list[str]:
    try:
        check_params(values, "")
    except ConfigError as error:
        lines = error.problem.splitlines()[1:]  # the first line is a summary
        return [line.strip().removeprefix("- ") for line in lines]
    return []


def _unknown_names(values: Mapping[str, Any]) -> Iterator[str]:
    """Errors for names of tasks and metrics that do not exist."""
    task, evaluate = values.get("task"), values.get("evaluate")
    if isinstance(task, dict):
        yield from _unknown("task.name", [task.get("name")], TASKS)
    if isinstance(evaluate, dict):
        yield from _unknown("evaluate.metrics", evaluate.get("metrics"), METRICS)


def _unknown(key: str, names: object, registry: Mapping[str, object]) -> Iterator[str]:
    for name in names if isinstance(names, list) else []:
        if isinstance(name, str) and name not in registry:
            yield f"{key}: unknown {name!r}; expected one of {', '.join(registry)}"


def all_errors() -> tuple[int, list[str]]:
    """The number of compositions, and all errors as `file: key: problem`.

    An error in the section of a group, or in another section that its file sets, is
    attributed to the file.
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
            if error not in default or _is_set_in(path, error)
        ]
    if not default:
        try:
            errors += [f"params.yaml: {line}" for line in differences(compose())]
        except ConfigError as error:
            errors.append(f"{error.where}: {error.problem}")
    return 1 + len(choices), errors


def _is_set_in(path: Path, error: str) -> bool:
    """Whether an error of the default composition is attributed to a group's file: the
    key is in a section that only this group sets, or in a file that sets keys of
    several sections."""
    key = error.partition(":")[0]
    keys = key.split(".")
    if path.parent.name == "task":
        return _has(path, keys)
    in_tasks = any(_has(file, keys) for file in CONFIGS.glob("task/*.yaml"))
    return keys[0] == path.parent.name and not in_tasks


def _has(path: Path, keys: Sequence[str]) -> bool:
    """Whether a file sets a key."""
    place: object = yaml.safe_load(path.read_bytes())
    for key in keys:
        if not isinstance(place, dict) or key not in place:
            return False
        place = place[key]
    return True


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
