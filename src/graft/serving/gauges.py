"""The state of a server as metrics."""

from collections.abc import Iterator

from graft.monitoring.names import Serving
from graft.monitoring.readings import Reading
from graft.serving.state import Server


def read_gauges(server: Server, num_slots: int) -> Iterator[Reading]:
    """The state now.

    Args:
        num_slots: completions that the engine generates at once, at most.
    """
    engine, versions = server.runner.engine, server.versions
    running = engine.num_running
    yield Reading(Serving.RUNNING, running)
    yield Reading(Serving.WAITING, max(engine.num_rows - running, 0))
    yield Reading(Serving.CACHE, running / num_slots)
    yield Reading(Serving.OPEN_TOKENS, server.runner.admission.num_tokens)
    yield Reading(Serving.REFUSED, len(versions.refused))
    yield Reading(Serving.ENGINE_UP, float(engine.is_running))
    for alias, number in versions.aliases.items():
        yield Reading(Serving.LOADED, 1, (alias, f"{versions.name}/{number}"))
