"""A server of the API on a free port of this machine."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from graft.config import ServingConfig
from graft.serving.app import Server
from graft.serving.served_model import LoadedModel
from graft.serving.server import DrainingServer, bind, to_server


@dataclass
class Running:
    """A server that runs, and its address."""

    server: Server
    url: str

    def post(self, path: str, **body: Any) -> httpx2.Response:
        return httpx2.post(f"{self.url}{path}", json=body, timeout=60)

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(f"{self.url}{path}", timeout=60)


@contextmanager
def running(loaded: LoadedModel, serving: ServingConfig) -> Iterator[Running]:
    """Serve a model on a free port until the end of the block."""
    server = to_server(loaded, serving)
    process = DrainingServer(server, serving)
    with bind("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=process.run, args=([listener],))
        thread.start()
        while not process.started:
            time.sleep(0.01)
        try:
            yield Running(server, url)
        finally:
            process.should_exit = True
            thread.join()
