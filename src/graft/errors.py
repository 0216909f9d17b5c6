"""Errors that a user can cause, each with where, what, expected and how to fix.

GraftError
├── ConfigError      params.yaml, configs/ or a command line is wrong
├── DataError        a source, a row or a contract over rows is wrong
├── TemplateError    a prompt template or a loss mask is wrong
│   └── RefusedChatsError  conversations of a batch cannot be written
├── ModelError       a base model or an adapter is missing, changed or unusable
├── RequestError     a prompt that the generation engine cannot continue as asked
├── HardwareError    the machine cannot run what was asked
│   └── LostProcessError  another process of a training has ended or does not respond
├── StorageError     a disk or a remote cannot be read or written
└── TrackingError    the tracking server cannot be reached or refuses
"""

from collections.abc import Mapping
from typing import Any


class GraftError(Exception):
    """An error with the four things its reader needs.

    Args:
        where: file, file:row, key or address with the error.
        problem: what is wrong, in a few words.
        expected: what would have been right.
        fix: what to do about it.

    `exit_status`: of a command that ends with it.
    """

    exit_status = 1

    def __init__(
        self, where: str, problem: str, *, expected: str = "", fix: str = ""
    ) -> None:
        super().__init__(where, problem, expected, fix)
        self.where = where
        self.problem = problem
        self.expected = expected
        self.fix = fix

    def __reduce__(self) -> tuple[Any, ...]:
        """For processes that pass errors on: the arguments after the first two are
        keywords."""
        return _restore, (type(self), *self.args)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.problem}"]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


def _restore(
    kind: type[GraftError], where: str, problem: str, expected: str, fix: str
) -> GraftError:
    return kind(where, problem, expected=expected, fix=fix)


class ConfigError(GraftError):
    """params.yaml, configs/ or a command line is wrong."""


class DataError(GraftError):
    """A source, a row or a contract over rows is wrong."""


class TemplateError(GraftError):
    """A prompt template or a loss mask is wrong."""


class RefusedChatsError(TemplateError):
    """Conversations of a batch that a format cannot write.

    `refused`: the reasons, by index in the batch.
    """

    def __init__(self, refused: Mapping[int, TemplateError]) -> None:
        first = next(iter(refused.values()))
        super().__init__(
            first.where, first.problem, expected=first.expected, fix=first.fix
        )
        self.refused = refused

    def __reduce__(self) -> tuple[Any, ...]:
        return RefusedChatsError, (self.refused,)


class ModelError(GraftError):
    """A base model or an adapter is missing, changed or unusable."""


class RequestError(GraftError, ValueError):
    """A prompt that the generation engine cannot continue as asked."""


class HardwareError(GraftError):
    """The machine cannot run what was asked."""


class LostProcessError(HardwareError):
    """Another process of a training has ended or does not respond. Its status tells a
    scheduler that another attempt may succeed (EX_TEMPFAIL in sysexits.h)."""

    exit_status = 75


class StorageError(GraftError):
    """A disk or a remote cannot be read or written."""


class TrackingError(GraftError):
    """The tracking server cannot be reached or refuses."""
