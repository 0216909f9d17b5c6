"""Finished shards of a run, in a hidden folder beside the output until it is whole."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graft import io
from graft.errors import ConfigError
from graft.serving.batch.source import Contents
from graft.serving.batch.values import to_json

JOURNAL = "run.json"


class WorkFolder:
    """The journal and the shards of a run.

    A shard appears whole, under its number. The journal has all that the results depend
    on, by name; a run with other values is another run.

    Args:
        out: the output, which appears at the end.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.path = out.with_name(f".{out.name}.batch")
        self._ended = out.with_name(f".{out.name}.batch.partial")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from writing the same output.

        Raises: ConfigError if one does.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise io.storage_error(self.path, error) from error
        try:
            self._lock(handle)
            yield
        finally:
            os.close(handle)
            with suppress(OSError):  # not empty, or no longer there
                self.path.rmdir()

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                str(self.out),
                "another process writes this output",
                fix="wait for its end, or choose another output",
            ) from error

    def clear(self) -> None:
        """Forget an earlier run."""
        (self.path / JOURNAL).unlink(missing_ok=True)
        for file in (*self.path.iterdir(), self._ended):
            io.remove(file)

    @property
    def is_begun(self) -> bool:
        """Whether a run has begun and not ended."""
        return (self.path / JOURNAL).is_file()

    def check_output(self, restart: bool) -> None:
        """Raises: ConfigError if the output exists, and may not be replaced."""
        if self.out.is_dir() or self.out.exists() and not (restart or self.is_begun):
            raise ConfigError(
                str(self.out),
                "already exists",
                expected="a new file",
                fix="choose another name, or replace the file with --restart",
            )

    def begin(self, identity: Mapping[str, str], contents: Contents) -> None:
        """Begin a run."""
        self.clear()
        journal = {"run": dict(identity), "contents": asdict(contents)}
        io.write_json(self.path / JOURNAL, journal)

    def resume(self) -> tuple[dict[str, str], Contents]:
        """The run that has begun: its identity, and what the input contains."""
        journal = io.read_json(self.path / JOURNAL)
        return journal["run"], Contents(**journal["contents"])

    def check(self, begun: Mapping[str, str], identity: Mapping[str, str]) -> None:
        """Raises: ConfigError if a run cannot go on with these values."""
        names = [*begun, *(name for name in identity if name not in begun)]
        changed = [name for name in names if begun.get(name) != identity.get(name)]
        if changed:
            values = "; ".join(
                f"{name} was {begun.get(name)}, is {identity.get(name)}"
                for name in changed
            )
            raise ConfigError(
                str(self.out),
                f"the run that was interrupted cannot go on: {values}",
                expected="what the run began with, so that its results are alike",
                fix="restore it, or begin again with --restart",
            )

    def has(self, number: int) -> bool:
        """Whether a shard is finished."""
        return self._shard(number).is_file()

    def write(self, number: int, results: Sequence[Mapping[str, Any]]) -> None:
        """Add a shard. When this returns, it is on disk."""
        with io.atomic(self._shard(number)) as partial:
            with partial.open("w", encoding="utf-8", newline="\n") as file:
                for result in results:
                    file.write(to_json(result) + "\n")
                file.flush()
                os.fsync(file.fileno())

    def results(self, number: int) -> Iterator[dict[str, Any]]:
        """The results of a shard."""
        with self._shard(number).open("rb") as lines:
            for line in lines:
                yield json.loads(line)

    def remove(self) -> None:
        """The run has ended."""
        io.remove(self._ended)
        self.path.replace(self._ended)  # at once: a part of it is no run
        io.remove(self._ended)

    def _shard(self, number: int) -> Path:
        return self.path / f"shard-{number:06d}.jsonl"
