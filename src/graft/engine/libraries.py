"""The libraries of a machine: other versions of them may write other bytes."""

import re
from collections.abc import Mapping
from importlib import metadata

from graft.errors import ConfigError


def library_versions() -> dict[str, str]:
    """The version of each library that graft requires, by name."""
    required = metadata.requires("graft") or ()
    names = (re.match(r"[\w.-]+", one) for one in required if "extra ==" not in one)
    return {name[0]: _version(name[0]) for name in names if name}


def check_libraries(expected: Mapping[str, str], machine: str) -> None:
    """Raises: ConfigError if this machine has other versions."""
    found = {name: _version(name) for name in expected}
    differing = [name for name, version in expected.items() if found[name] != version]
    if differing:
        name = differing[0]
        raise ConfigError(
            machine,
            f"has other libraries than the machine that runs the stage: {name} "
            f"{found[name]}, not {expected[name]} ({len(differing)} differ)",
            expected="the same versions on all machines, so that they write the same",
            fix="install requirements.txt there",
        )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(none)"
