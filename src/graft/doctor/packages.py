"""Python, its packages, and programs."""

import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from graft.doctor.findings import Finding

_LEAST_PYTHON = (3, 11)
_PINNED = re.compile(r"(?P<name>[\w.-]+)(?:\[[^]]*\])?==(?P<version>[^\s;+]+)")
_SHOWN = 5
"""Packages that a message names."""


def check_python(version: tuple[int, ...]) -> list[Finding]:
    """The version of Python."""
    text = ".".join(map(str, version))
    if version < _LEAST_PYTHON:
        least = ".".join(map(str, _LEAST_PYTHON))
        return [Finding("Python", "error", text, f"use Python {least} or later")]
    return [Finding("Python", "ok", text)]


def check_packages(
    required: Iterable[str],
    lock: Mapping[str, str] | None,
    installed: Mapping[str, str],
) -> list[Finding]:
    """The installed packages, against what graft requires and what the lock pins.

    Args:
        required: requirements of graft, as in its metadata.
        lock: version by normalised name; None: there is no lock here.
        installed: version by normalised name.
    """
    wrong = [text for one in required if (text := _unmet(one, installed))]
    if wrong:
        fix = "make install, or reinstall graft with its dependencies"
        return [Finding("packages", "error", _list(wrong), fix)]
    if lock is None:
        text = f"{len(installed)} installed; there is no requirements.txt to compare"
        return [Finding("packages", "ok", text)]
    other = [
        f"{name} {installed.get(name, 'is missing')}, locked {version}"
        for name, version in lock.items()
        if installed.get(name, "").partition("+")[0] != version
    ]
    if other:
        text = (
            f"{len(other)} of {len(lock)} differ from requirements.txt: {_list(other)}"
        )
        return [Finding("packages", "warning", text, "make install")]
    return [Finding("packages", "ok", f"all {len(lock)} as locked")]


def check_programs(found: Mapping[str, bool]) -> list[Finding]:
    """Programs that DVC and graft start."""
    missing = [name for name, is_there in found.items() if not is_there]
    if missing:
        fix = f"apt-get install {' '.join(missing)}"
        return [Finding("programs", "error", f"missing: {', '.join(missing)}", fix)]
    return [Finding("programs", "ok", ", ".join(found))]


def read_lock(path: Path) -> dict[str, str] | None:
    """Version by normalised name; None if the file does not exist."""
    if not path.is_file():
        return None
    lines = path.read_text("utf-8").splitlines()
    found = [match for line in lines if (match := _PINNED.match(line))]
    return {normalised(one["name"]): one["version"] for one in found}


def read_installed() -> dict[str, str]:
    """Version of each installed package, by normalised name."""
    return {normalised(one.name): one.version for one in metadata.distributions()}


def read_required() -> list[str]:
    """The requirements of graft; empty for a source tree that is not installed."""
    try:
        return metadata.requires("graft") or []
    except metadata.PackageNotFoundError:
        return []


def normalised(name: str) -> str:
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _unmet(text: str, installed: Mapping[str, str]) -> str:
    """Why a requirement is not met; empty if it is, or does not apply here."""
    from packaging.requirements import Requirement

    wanted = Requirement(text)
    if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
        return ""
    version = installed.get(normalised(wanted.name))
    if version is None:
        return f"{wanted.name} is missing"
    if not wanted.specifier.contains(version, prereleases=True):
        return f"{wanted.name} {version}, required {wanted.specifier}"
    return ""


def _list(texts: list[str]) -> str:
    more = len(texts) - _SHOWN
    return "; ".join(texts[:_SHOWN]) + (f"; {more} more" if more > 0 else "")
