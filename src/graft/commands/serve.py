"""`graft serve`: an API, as of OpenAI, of a registered version."""

from pathlib import Path

from graft.config import RegistryConfig, ServingConfig


def run(
    registry: RegistryConfig,
    serving: ServingConfig,
    *,
    cache: Path = Path(".graft/served"),
) -> None:
    """Serve the champion of the registry until the process is interrupted.

    Args:
        cache: folder for copies of registered versions.
    """
    from graft.serving.engine_process import start_engine

    process = start_engine()  # it imports its libraries beside what follows
    from graft.serving.server import listen, load_server

    listen(load_server(registry, serving, cache, process), serving)
