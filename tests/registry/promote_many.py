"""A process of the concurrency test: decides as often as it is told.

    python promote_many.py URI NAME NUMBER

Decisions alternate between the versions 1 and 2, whatever the other process does.
"""

import sys
from collections.abc import Sequence

from registered_versions import registry_at

from graft.registry.decisions import Decision
from graft.registry.loading import start_decision
from graft.registry.log import DecisionLog
from graft.tracking.versions import RegisteredVersion


def main(uri: str, name: str, number: str) -> None:
    """Promote so many times."""
    log = DecisionLog.open(registry_at(uri))
    versions = {one.version: one for one in log.versions.all()}

    def decide(
        _: Sequence[Decision], champion: RegisteredVersion | None
    ) -> Decision | None:
        other = "2" if champion and champion.version == "1" else "1"
        made = start_decision(log, versions[other], champion, name, "")
        return Decision(**{**vars(made), "action": "promote"})

    for _ in range(int(number)):
        log.record(decide)


if __name__ == "__main__":
    main(*sys.argv[1:])
