"""What was done about alerts, in a file, so that nothing is done twice."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from graft import io
from graft.errors import StorageError

MOST = 1000
"""Actions that are remembered."""


@dataclass(frozen=True)
class Done:
    """An action that took effect, or that was not needed.

    Args:
        key: of the alert.
        action: its label.
        version: that it was about.
        text: what was done; empty if nothing was to do.
        at_s: when, UTC, since 1970.
    """

    key: str
    action: str
    version: str
    text: str
    at_s: float


class ActionLog:
    """The file of the actions.

    Args:
        path: is created with the first action.
        clock: seconds since 1970.
    Raises: StorageError if the file is damaged or cannot be written.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._done = _read(path)

    def find(self, key: str) -> Done | None:
        """What was done about an alert."""
        return next((one for one in self._done if one.key == key), None)

    def num_since(self, seconds: float, *actions: str) -> int:
        """How often something was really done in the last seconds."""
        start = self._clock() - seconds
        return sum(
            one.at_s > start and bool(one.text) and one.action in actions
            for one in self._done
        )

    def add(self, key: str, action: str, version: str, text: str) -> None:
        """Remember an action."""
        made = Done(key, action, version, text, self._clock())
        self._done = [*self._done, made][-MOST:]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        io.write_json(self._path, [asdict(one) for one in self._done])


def _read(path: Path) -> list[Done]:
    if not path.exists():
        return []
    try:
        return [Done(**one) for one in json.loads(path.read_text("utf-8"))]
    except (OSError, TypeError, ValueError) as error:
        raise StorageError(
            str(path),
            f"is not the file of actions of graft watch: {error}",
            fix="remove it: alerts that still fire are then acted on again, if their "
            "version still has its alias",
        ) from error
