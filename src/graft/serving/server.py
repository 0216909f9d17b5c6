"""The process that serves: loading, listening, and ending without losing a request."""

import gc
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import uvicorn

from graft.config import MonitoringConfig, RegistryConfig, ServingConfig
from graft.data.convert.task import Task
from graft.monitoring.served_request import RequestObserver
from graft.serving.admission import Admission, RateLimit
from graft.serving.app import create_app
from graft.serving.engine import Batch, ServingEngine
from graft.serving.engine_process import EngineProcess
from graft.serving.feedback_store import FeedbackStore
from graft.serving.gauges import read_gauges
from graft.serving.guards.configured import to_guards
from graft.serving.keys import ApiKeys
from graft.serving.listening import bind
from graft.serving.observers import open_observers
from graft.serving.registry_source import RegistrySource
from graft.serving.responses import JobRunner
from graft.serving.state import Server
from graft.serving.versions import Registry, ServedVersions
from graft.tracking.local_versions import open_versions


def serve(
    registry: RegistryConfig,
    serving: ServingConfig,
    monitoring: MonitoringConfig,
    cache: Path,
    process: EngineProcess,
) -> None:
    """Serve the configured version until SIGINT or SIGTERM; see `load_server` and
    `listen`."""
    starts_traces = monitoring.telemetry.otlp_endpoint is not None
    with open_observers(serving, monitoring) as observers:
        server = load_server(
            registry,
            serving,
            observers.requests,
            cache,
            process,
            starts_traces=starts_traces,
        )
        observers.readings.append(lambda: read_gauges(server, serving.slots))
        if observers.metrics_port is not None:
            host = monitoring.telemetry.host
            address = f"http://{host}:{observers.metrics_port}/metrics"
            print(f"metrics: {address}", file=sys.stderr, flush=True)
        listen(server, serving)


def load_server(
    registry: RegistryConfig,
    serving: ServingConfig,
    observers: Sequence[RequestObserver],
    cache: Path,
    process: EngineProcess,
    *,
    starts_traces: bool,
) -> Server:
    """A server of the configured version, whose engine is loading.

    Args:
        observers: are told of each request when it has ended.
        cache: folder for copies of registered versions.
        process: of the engine, which was not told yet what to load.
    Raises: GraftError if there is no such version, or it cannot be served.
    """
    keys = read_keys(serving)  # before anything slow
    source = RegistrySource(open_versions(registry), cache, serving.version)
    length = min(serving.max_context_tokens, source.base.limit or 2**31)
    process.start_loading(
        source.base, serving.device, serving.slots, length, source.full
    )
    task, name = source.first.task, registry.name
    return to_server(
        serving,
        process,
        source,
        name=name,
        task=task,
        length=length,
        keys=keys,
        observers=observers,
        starts_traces=starts_traces,
    )


def to_server(
    serving: ServingConfig,
    batch: Batch,
    source: Registry,
    *,
    name: str,
    task: Task,
    length: int,
    keys: ApiKeys,
    observers: Sequence[RequestObserver] = (),
    starts_traces: bool = False,
) -> Server:
    """A server that is not started.

    Args:
        name: of the registered model.
        task: of its versions.
        length: most tokens of a prompt with its completion.
    """
    engine = ServingEngine(batch)
    admission = Admission(serving.max_open_requests, serving.max_open_tokens)
    return Server(
        task=task,
        versions=ServedVersions(name, serving.version, serving.canary, source, engine),
        length=length,
        runner=JobRunner(
            engine, admission, serving.deadline_s, to_guards(serving.guards)
        ),
        keys=keys,
        rates=RateLimit(serving.requests_per_minute),
        max_body_bytes=serving.max_body_bytes,
        observers=observers,
        feedback=next(
            (one for one in observers if isinstance(one, FeedbackStore)), None
        ),
        starts_traces=starts_traces,
        poll_s=serving.poll_s,
    )


def read_keys(serving: ServingConfig) -> ApiKeys:
    """The configured API keys. Raises: ConfigError if their file cannot be used."""
    return ApiKeys(Path(serving.keys_file) if serving.keys_file else None)


def listen(server: Server, serving: ServingConfig) -> None:
    """Answer requests until SIGINT or SIGTERM; open ones are answered before the end.

    Raises: ConfigError if the address cannot be used; GraftError if the model cannot be
        loaded; the error that ended the engine.
    """
    start_logs()
    gc.collect()
    gc.freeze()  # a full collection would stop all streams to look at the libraries
    with bind(serving.host, serving.port) as listener:
        host, port = listener.getsockname()[:2]
        print(
            f"{server.versions.name}: http://{host}:{port}/v1 "
            f"(try it: http://{host}:{port}/docs)",
            flush=True,
        )
        process = DrainingServer(server, serving)
        try:
            process.run([listener])
        except KeyboardInterrupt:  # uvicorn raises the signal again after its end
            print("stopped", file=sys.stderr)
    if process.failure is not None:
        raise process.failure


def start_logs() -> None:
    """Write the logs of requests and versions to stderr, a JSON object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    for name in ("graft.requests", "graft.versions"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.handlers, logger.propagate = [handler], False
    # Its failures are counted, and reported once by graft.monitoring.traces.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)


KEEP_ALIVE_S = 75
"""Idle connections stay open for longer than those of clients (httpx: 5 s) and proxies
(nginx: 60 s): whoever closes first must not be the one who answers."""


class DrainingServer(uvicorn.Server):
    """Refuses new requests as soon as a signal has come."""

    def __init__(self, server: Server, serving: ServingConfig) -> None:
        config = uvicorn.Config(
            create_app(server, self._fail),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=round(serving.drain_s),
        )
        super().__init__(config)
        self._admission = server.runner.admission
        self.failure: BaseException | None = None

    def _fail(self, error: BaseException) -> None:
        """End: there is nothing to serve. What started this process may start another
        one."""
        self.failure = self.failure or error
        self._admission.draining = True
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self._admission.draining = True
        super().handle_exit(sig, frame)
