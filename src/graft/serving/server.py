"""The process that serves: loading, listening, and ending without losing a request."""

import logging
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from graft.config import RegistryConfig, ServingConfig
from graft.errors import ConfigError
from graft.inference.batching import ContinuousBatch
from graft.serving.admission import Admission, RateLimit
from graft.serving.app import Server, create_app
from graft.serving.engine import ServingEngine
from graft.serving.keys import ApiKeys
from graft.serving.responses import JobRunner
from graft.serving.served_model import LoadedModel, fetch_version, load_model
from graft.tracking.versions import Versions


def load(registry: RegistryConfig, serving: ServingConfig, cache: Path) -> LoadedModel:
    """Load the configured version of the registered model.

    Args:
        cache: folder for copies of registered versions.
    """
    found, folder = fetch_version(Versions(registry), serving.version, cache)
    return load_model(found, folder, serving)


def to_server(loaded: LoadedModel, serving: ServingConfig) -> Server:
    """A server of a loaded model, which is not started."""
    batch = ContinuousBatch(loaded.model, serving.slots, loaded.length)
    admission = Admission(serving.max_open_requests, serving.max_open_tokens)
    return Server(
        version=loaded.version,
        length=loaded.length,
        runner=JobRunner(ServingEngine(batch), admission, serving.deadline_s),
        keys=ApiKeys(Path(serving.keys_file) if serving.keys_file else None),
        rates=RateLimit(serving.requests_per_minute),
        max_body_bytes=serving.max_body_bytes,
        log_texts=serving.log_texts,
    )


def listen(server: Server, serving: ServingConfig) -> None:
    """Answer requests until SIGINT or SIGTERM; open ones are answered before the end.

    Raises: ConfigError if the address cannot be used.
    """
    start_request_log()
    with bind(serving.host, serving.port) as listener:
        host, port = listener.getsockname()[:2]
        print(
            f"{server.version.id} answers at http://{host}:{port}/v1 "
            f"(try it: http://{host}:{port}/docs)",
            flush=True,
        )
        try:
            DrainingServer(server, serving).run([listener])
        except KeyboardInterrupt:  # uvicorn raises the signal again after its end
            print("stopped", file=sys.stderr)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises: ConfigError if the address is in use, or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"serving.host={host}, serving.port={port}",
            f"cannot listen there: {error.strerror or error}",
            expected="an address of this machine, and a free port",
            fix="end the other server, or set serving.port (0: any free port)",
        ) from error
    return listener


def start_request_log() -> None:
    """Write the log of requests to stderr, a JSON object a line."""
    logger = logging.getLogger("graft.requests")
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
        logger.propagate = False


class DrainingServer(uvicorn.Server):
    """Refuses new requests as soon as a signal has come."""

    def __init__(self, server: Server, serving: ServingConfig) -> None:
        config = uvicorn.Config(
            create_app(server),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=round(serving.drain_s),
        )
        super().__init__(config)
        self._admission = server.runner.admission

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self._admission.draining = True
        super().handle_exit(sig, frame)
