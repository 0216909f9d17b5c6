"""The tokenize report, if it belongs to the planned parameters."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from graft import io

STAGES = ("convert", "preprocess", "tokenize")
"""Stages whose parameters determine the report."""
ABSENT = object()


def read_token_report(
    report: Path, lock: Path, params: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    """The report, if dvc.lock records it for these parameters; else an empty one and
    the reason.

    Args:
        report: written by the stage tokenize.
        lock: dvc.lock, which records the parameters that the report was written with.
        params: the planned parameters, by section.
    """
    if not report.is_file():
        return {}, f"there is no {report}"
    if not lock.is_file():
        return {}, f"there is no {lock} that records the parameters of {report}"
    recorded = yaml.safe_load(lock.read_text(encoding="utf-8")) or {}
    stages = recorded.get("stages", {})
    if not _is_output(report, stages.get("tokenize", {})):
        return {}, f"{report} differs from the one recorded in {lock}"
    used: dict[str, Any] = {}
    for name in STAGES:
        for values in stages.get(name, {}).get("params", {}).values():
            used |= values
    other = sorted(
        name
        for key, value in used.items()
        for name in _differences(key, value, _at(params, key))
    )
    if other:
        more = f" and {len(other) - 3} more" if len(other) > 3 else ""
        return {}, f"{report} was made with other {', '.join(other[:3])}{more}"
    known: dict[str, Any] = io.read_json(report)
    return known, ""


def _is_output(report: Path, stage: Mapping[str, Any]) -> bool:
    """Whether the file is an output of the stage as recorded."""
    digest = hashlib.md5(report.read_bytes(), usedforsecurity=False).hexdigest()
    return any(out.get("md5") == digest for out in stage.get("outs", []))


def _at(params: Mapping[str, Any], key: str) -> Any:
    """The value of a dotted key; ABSENT if there is none."""
    value: Any = params
    for name in key.split("."):
        value = value.get(name, ABSENT) if isinstance(value, Mapping) else ABSENT
    return value


def _differences(key: str, one: Any, other: Any) -> list[str]:
    """Dotted keys whose values differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        names = sorted({*one, *other})
        pairs = [(n, one.get(n, ABSENT), other.get(n, ABSENT)) for n in names]
        return [d for n, a, b in pairs for d in _differences(f"{key}.{n}", a, b)]
    return [] if one == other else [key]
