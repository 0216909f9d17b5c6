"""`graft log`: send a run's journal to the tracking store."""

from pathlib import Path

from graft import tracking
from graft.config import RegistryConfig


def run(registry: RegistryConfig, journal: Path, /) -> None:
    """Send the part of a run that a tracking server missed while it was down.

    Args:
        journal: the run's file under .graft/ or checkpoints/, which the stage printed.
    """
    count = tracking.replay(journal, registry)
    print(f"{journal}: {count} events sent" if count else f"{journal}: nothing to send")
