"""`graft log`: send the journal of a run to the tracking store."""

from pathlib import Path
from typing import Any

from graft import tracking
from graft.config import RegistryConfig


def run(
    registry: RegistryConfig, journal: Path, /, *, json: bool = False
) -> dict[str, Any] | None:
    """Send the events of a run that the tracking store has not received.

    Args:
        journal: journal of the run, a file in .graft/ or checkpoints/; the stage that
            could not reach the store printed its path.
        json: print one JSON document instead of text.
    """
    count = tracking.replay(journal, registry)
    if json:
        return {"journal": str(journal), "events_sent": count}
    print(f"{journal}: {count} events sent" if count else f"{journal}: nothing to send")
    return None
