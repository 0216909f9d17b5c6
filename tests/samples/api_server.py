"""A server of the API on a free port of this machine."""

import copy
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from tiny_server import LoadedModel, OneVersion
from waiting import wait_until

from graft.config import ServingConfig
from graft.inference.batching import ContinuousBatch
from graft.monitoring.served_request import RequestObserver
from graft.serving.engine import Batch
from graft.serving.json_log import JsonLog
from graft.serving.listening import bind
from graft.serving.server import DrainingServer, read_keys, to_server
from graft.serving.state import Server
from graft.serving.versions import Registry


@dataclass
class Running:
    """A server that runs, and its address."""

    server: Server
    url: str

    def post(self, path: str, **body: Any) -> httpx2.Response:
        return httpx2.post(f"{self.url}{path}", json=body, timeout=60)

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(f"{self.url}{path}", timeout=60)


def request_lines(caplog: pytest.LogCaptureFixture, number: int = 1) -> list[str]:
    """Lines of the log of requests, which are written after the answers."""

    def found() -> list[str]:
        return [r.getMessage() for r in caplog.records if r.name == "graft.requests"]

    wait_until(lambda: len(found()) >= number)
    return found()


@contextmanager
def running(
    loaded: LoadedModel,
    serving: ServingConfig,
    batch: Batch | None = None,
    registry: Registry | None = None,
    port: int = 0,
    observers: Sequence[RequestObserver] = (),
    starts_traces: bool = False,
) -> Iterator[Running]:
    """Serve a model on this port, or a free one, until the end of the block.

    Requests are logged, and shown to these observers.
    """
    # A model serves one batch at a time, and another server may run.
    model = copy.deepcopy(loaded.model) if batch is None else None
    batch = batch or ContinuousBatch(model, serving.slots, loaded.length)
    version = loaded.version
    server = to_server(
        serving,
        batch,
        registry or OneVersion(version),
        name=version.name,
        task=version.task,
        length=loaded.length,
        keys=read_keys(serving),
        observers=[JsonLog(serving.log_texts), *observers],
        starts_traces=starts_traces,
    )
    process = DrainingServer(server, serving)
    with bind("127.0.0.1", port) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=process.run, args=([listener],))
        thread.start()
        while httpx2.get(f"{url}/health/ready", timeout=60).status_code != 200:
            assert thread.is_alive(), process.failure
            time.sleep(0.01)
        try:
            yield Running(server, url)
        finally:
            process.should_exit = True
            thread.join()
