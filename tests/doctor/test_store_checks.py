"""The store of runs: files, servers and databases."""

import socket
import sqlite3
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from graft.doctor.store import check_database, check_file, check_server, get, to_headers

URI = "http://ann:pa55@mlflow"


class Answers:
    """A server: status and body by the end of the path."""

    def __init__(self, **answers: tuple[int, str]) -> None:
        normal = {"health": (200, "OK"), "version": (200, "3.17.2")}
        self.answers = {**normal, "search": (200, "{}"), **answers}
        self.headers: Mapping[str, str] = {}

    def get(self, address: str, headers: Mapping[str, str]) -> tuple[int, str]:
        assert "pa55" not in address
        self.headers = headers
        return self.answers[address.partition("?")[0].rpartition("/")[2]]


@pytest.mark.parametrize(
    ("answers", "status", "part"),
    [
        ({}, "ok", "http://mlflow, version 3.17.2"),
        ({"version": (200, "3.9.0\n")}, "warning", "version 3.9.0"),
        ({"search": (401, "")}, "error", "refuses this user"),
        ({"search": (404, "")}, "error", "status 200 and 404"),
        ({"health": (403, "")}, "error", "refuses this user"),
        ({"health": (502, "")}, "error", "status 502"),
    ],
)
def test_the_answers_of_a_server_are_judged(
    answers: dict[str, tuple[int, str]], status: str, part: str
) -> None:
    server = Answers(**answers)
    (found,) = check_server(URI, {}, "3.17.5", server.get)
    assert (found.status, part in found.found) == (status, True), found
    assert "pa55" not in str(found)
    assert server.headers["Authorization"].startswith("Basic ")


def test_a_server_that_is_down_is_an_error() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    (found,) = check_server(f"http://127.0.0.1:{port}", {}, "3.17", get)
    assert found.status == "error" and "does not answer" in found.found
    (found,) = check_database(f"postgresql://u:pa55@127.0.0.1:{port}/x")
    assert found.status == "error" and "pa55" not in str(found)


def test_a_database_that_listens_is_ok() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        uri = f"postgresql+psycopg2://u@127.0.0.1:{port}/x"
        assert check_database(uri)[0].status == "ok"
    assert check_database("databricks")[0].status == "warning"


def test_the_user_is_that_of_the_address_or_the_environment() -> None:
    pair = {"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p"}
    assert to_headers("http://h", pair)["Authorization"] == "Basic dTpw"
    token = {"MLFLOW_TRACKING_TOKEN": "t"}
    assert to_headers("http://h", token)["Authorization"] == "Bearer t"
    assert not to_headers("http://h", {})


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    assert "first run" in check_file(file)[0].found
    store = sqlite3.connect(file)
    store.execute("CREATE TABLE runs (a)")
    store.close()
    assert check_file(file)[0].status == "ok"
    file.write_bytes(b"no database, but long enough to have a header" * 9)
    assert check_file(file)[0].status == "error"


def test_a_real_request_returns_status_and_body() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # pylint: disable=invalid-name
            self.send_response(200 if self.path == "/ok" else 404)
            self.end_headers()
            self.wfile.write(b"yes")

        def log_message(self, *_: object) -> None:  # type: ignore[override]
            """Write no log."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            assert get(f"{url}/ok", {}) == (200, "yes")
            assert get(f"{url}/no", {}) == (404, "")
        finally:
            server.shutdown()
            thread.join()
