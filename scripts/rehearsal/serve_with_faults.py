"""`graft serve` whose engine fails or waits for some versions, as a file says.

The product has no such switch: this program alone puts it between the API and its
engine.
"""

import json
import os
import threading
from collections.abc import Hashable
from pathlib import Path
from typing import Any

FILE_VARIABLE = "REHEARSAL_FAULTS"
"""Names a JSON file: {version: "errors" or seconds of delay}."""


class FaultyEngine:
    """An engine's process, with faults.

    Args:
        engine: `graft.serving.engine_process.EngineProcess`.
        file: of the faults; it is read for each request.
    """

    def __init__(self, engine: Any, file: Path) -> None:
        self._engine, self._file = engine, file
        self._cancelled: set[Hashable] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def add(self, request: Any) -> None:
        """Let a row enter, later, or never."""
        from graft.serving.engine import EngineStoppedError

        fault = json.loads(self._file.read_text("utf-8")).get(request.adapter)
        if fault is None or request.key[0] == "trial":
            self._engine.add(request)
        elif fault == "errors":
            raise EngineStoppedError
        else:
            threading.Timer(fault, self._engine.add, [request]).start()


def main() -> None:
    """Start `graft serve` with the faults."""
    from graft.cli import main as graft
    from graft.serving import engine_process

    start, file = engine_process.start_engine, Path(os.environ[FILE_VARIABLE])
    engine_process.start_engine = lambda: FaultyEngine(start(), file)  # type: ignore
    graft()


if __name__ == "__main__":
    main()
