"""The version that stage `evaluate` registered, on which stage `certify` depends."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from graft import io
from graft.errors import DataError


@dataclass(frozen=True)
class Registered:
    """A registered version.

    Args:
        model: name of the registered model.
        version: its number; None if the tracking store did not respond.
        requirements: whether it meets evaluate.requirements.
    """

    model: str
    version: str | None
    requirements: Literal["passed", "failed", "none"]

    @property
    def obstacle(self) -> str:
        """Why it cannot be promoted; empty if it may be."""
        if self.version is None:
            return "it is not registered yet; send it: graft log"
        if self.requirements == "failed":
            return "it falls short of evaluate.requirements"
        return ""


def write_registered(path: Path, registered: Registered) -> None:
    """Write the report."""
    io.write_json(path, asdict(registered))


def read_registered(path: Path) -> Registered:
    """Read the report. Raises: DataError if it is not one."""
    try:
        return TypeAdapter(Registered).validate_python(io.read_json(path))
    except ValidationError as error:
        raise DataError(
            str(path),
            "is not a report of a registered version",
            expected="what stage evaluate wrote",
            fix="evaluate again: dvc repro -s -f evaluate",
        ) from error
