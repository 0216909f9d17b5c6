"""MLflow tells a service of a new champion, as docs/REGISTRY.md shows."""

import base64
import hashlib
import hmac
import json
import queue
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from mlflow_server import server
from registered_versions import Registered, registry_at
from tracking_stores import make_store

from graft.tracking.versions import Versions

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]
SECRET = "shared by both"
Request = tuple[dict[str, str], bytes]


@pytest.fixture(name="receiver")
def _receiver() -> Iterator[tuple[str, "queue.Queue[Request]"]]:
    """A web server, and the requests that it gets."""
    requests: queue.Queue[Request] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # pylint: disable=invalid-name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.put((dict(self.headers), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:  # pylint: disable=arguments-differ
            pass

    web = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=web.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{web.server_port}/champion", requests
    web.shutdown()
    web.server_close()


def is_signed(headers: dict[str, str], body: bytes, secret: str) -> bool:
    """The check of docs/REGISTRY.md."""
    number, sent = headers["X-MLflow-Delivery-Id"], headers["X-MLflow-Timestamp"]
    signed = f"{number}.{sent}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(digest).decode()}"
    return hmac.compare_digest(expected, headers["X-MLflow-Signature"])


def test_a_webhook_names_the_new_champion_and_is_signed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    receiver: tuple[str, "queue.Queue[Request]"],
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    address, requests = receiver
    allowed = {
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        "MLFLOW_WEBHOOK_CACHE_TTL": "0",  # a list of webhooks is kept for 60 s
    }
    with server(tmp_path, make_store(tmp_path), **allowed) as uri:
        registered = Registered(uri, tmp_path)
        registered.add([])
        registered.client.create_webhook(
            name="champion",
            url=address,
            events=["model_version_alias.created", "model_version_alias.deleted"],
            secret=SECRET,
        )
        versions = Versions(registry_at(uri))
        versions.set_alias("champion", "1")
        headers, body = requests.get(timeout=60)
        event = json.loads(body)
        assert (event["entity"], event["action"]) == ("model_version_alias", "created")
        assert event["data"] == {"name": "model", "alias": "champion", "version": "1"}
        assert is_signed(headers, body, SECRET)
        assert not is_signed(headers, body + b" ", SECRET)
        versions.delete_alias("champion")
        _, body = requests.get(timeout=60)
        assert json.loads(body)["data"] == {"name": "model", "alias": "champion"}
