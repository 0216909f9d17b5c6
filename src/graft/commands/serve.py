"""`graft serve`: an API, as of OpenAI, of a registered version."""

from pathlib import Path

from graft.config import MonitoringConfig, RegistryConfig, ServingConfig


def run(
    registry: RegistryConfig,
    serving: ServingConfig,
    monitoring: MonitoringConfig,
    *,
    cache: Path = Path(".graft/served"),
) -> None:
    """Serve the champion of the registry until the process is interrupted.

    Args:
        cache: folder for copies of registered versions.
    """
    from graft.serving.engine_process import start_engine

    process = start_engine()  # it imports its libraries beside what follows
    from graft.serving.server import serve

    serve(registry, serving, monitoring, cache, process)
