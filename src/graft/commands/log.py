"""`graft log`: send a run's journal to the tracking store."""

from pathlib import Path

from graft import tracking
from graft.config import RegistryConfig


def run(registry: RegistryConfig, journal: Path, /) -> None:
    """Send what a tracking server that was down has missed of a run.

    Args:
        journal: the run's file under .graft/ or checkpoints/, which its stage named.
    """
    count = tracking.replay(journal, registry)
    print(f"{journal}: {count} events sent" if count else f"{journal}: all was sent")
