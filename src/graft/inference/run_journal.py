"""Finished parts of a run, on disk, so that a run that was killed goes on."""

import json
import os
from pathlib import Path
from typing import Any


class RunJournal:
    """Parts by name, as JSON Lines; the first line names the run.

    A part is on disk when `put` returns. A line that was not completed is ignored, and
    so is the whole file if it is of another run.

    Args:
        path: the file; it is made by the first `put`.
        run: digest of everything that affects the parts.
    """

    def __init__(self, path: Path, run: str) -> None:
        self.path, self._run = path, run
        self._parts: dict[str, Any] = {}
        lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
        whole = [json.loads(line) for line in lines if line.endswith(b"\n")]
        self._is_ours = bool(whole) and whole[0] == {"run": run}
        if self._is_ours:
            self._parts = {line["name"]: line["part"] for line in whole[1:]}
            if len(whole) < len(lines):  # so that the next line is a line of its own
                os.truncate(path, sum(map(len, lines[:-1])))

    def __len__(self) -> int:
        return len(self._parts)

    def get(self, name: str) -> Any:
        """The part, or None if it is not finished."""
        return self._parts.get(name)

    def put(self, name: str, part: Any) -> None:
        """Add a finished part.

        Args:
            name: unique in the run.
            part: of JSON's types.
        """
        lines = [{"name": name, "part": part}]
        if not self._is_ours:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lines.insert(0, {"run": self._run})
        text = "".join(json.dumps(line) + "\n" for line in lines)
        with self.path.open("ab" if self._is_ours else "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        self._is_ours = True
        self._parts[name] = part

    def remove(self) -> None:
        """Delete the file: the run has ended."""
        self.path.unlink(missing_ok=True)
