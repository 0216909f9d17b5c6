"""A batch that is sent to a real server: busy, restarting, locked or away."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from api_server import running
from batch_runs import read_lines, results_of, write_lines

from graft.errors import ConfigError
from graft.serving.batch.http import to_seconds
from graft.serving.batch.remote import RemoteApi
from graft.serving.batch.run import BatchRun
from graft.serving.batch.start import Engine, connect, to_run

TEXTS = [f"The cat {name} sleeps." for name in "abcdefghijkl"]


def to_batch(api: RemoteApi | str, source: Path, out: Path, **changes: Any) -> BatchRun:
    def load() -> Engine:
        if isinstance(api, str):
            return connect(api, None, concurrency=4, patience_s=10.0)
        return Engine(api, api.model, api.find_task)

    options: dict[str, Any] = {"sampling": {}, "seed": 0, "shard_rows": 5}
    return to_run(source, out, load, restart=False, **(options | changes))


@pytest.fixture(name="api")
def _api(loaded, serving):
    """A server that ends with the test: others follow with the same model."""
    with running(loaded, serving) as found:
        yield found


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "in.jsonl", [{"source": text} for text in TEXTS])


def test_answers_are_those_of_the_server(api, offline, source, tmp_path):
    counts = to_batch(f"{api.url}/v1/", source, tmp_path / "out.jsonl").run()
    assert (counts.num_answered, counts.num_failed) == (12, 0)
    assert results_of(tmp_path / "out.jsonl") == [offline(text) for text in TEXTS]


def test_openai_rows_and_bad_rows_are_sent_as_they_are(api, tmp_path):
    row = {"custom_id": "a", "method": "POST", "url": "/v1/completions"}
    bodies = [{"model": "translator", "prompt": "a"}, {"model": "x", "prompt": "a"}]
    source = write_lines(tmp_path / "in.jsonl", [{**row, "body": b} for b in bodies])
    counts = to_batch(api.url, source, tmp_path / "out.jsonl").run()
    assert (counts.num_answered, counts.num_failed) == (1, 1)
    good, bad = (line["response"] for line in read_lines(tmp_path / "out.jsonl"))
    assert good["body"]["id"] == f"cmpl-{good['request_id']}"
    assert bad["status_code"] == 404
    assert bad["body"]["error"]["code"] == "model_not_found"


def test_the_run_pins_the_version_that_the_server_lists(api, source, tmp_path):
    first = RemoteApi(api.url, None, None, concurrency=1, patience_s=5)
    assert first.model == "translator/3" and first.identity["model"] == "translator/3"
    gone = RemoteApi(api.url, None, "translator/2", concurrency=1, patience_s=5)
    with pytest.raises(ConfigError, match="translator/2"):
        to_batch(gone, source, tmp_path / "out.jsonl").run()
    assert not (tmp_path / "out.jsonl").exists()


def test_a_busy_server_is_asked_again_until_all_rows_are_answered(
    loaded, serving, offline, source, tmp_path
):
    limited = serving.model_copy(update={"max_open_requests": 1})
    waits: list[float] = []
    with running(loaded, limited) as busy:

        def wait(seconds: float) -> None:
            waits.append(seconds)
            threading.Event().wait(0.02)  # the server's seconds are too long for a test

        remote = RemoteApi(
            busy.url, None, None, concurrency=6, patience_s=60, wait=wait
        )
        counts = to_batch(remote, source, tmp_path / "out.jsonl").run()
        assert busy.server.runner.admission.num_refused == len(waits) > 0
    assert counts.num_answered == 12 and min(waits) >= 1  # as Retry-After says
    assert results_of(tmp_path / "out.jsonl") == [offline(text) for text in TEXTS]


def test_a_key_of_the_environment_is_sent(
    loaded, serving, source, tmp_path, monkeypatch
):
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"ann": hashlib.sha256(b"secret").hexdigest()}))
    locked = serving.model_copy(update={"keys_file": str(file)})
    with running(loaded, locked) as api:
        monkeypatch.delenv("GRAFT_API_KEY", raising=False)
        with pytest.raises(ConfigError, match="API key") as caught:
            to_batch(api.url, source, tmp_path / "out.jsonl")
        assert "GRAFT_API_KEY" in caught.value.fix
        monkeypatch.setenv("GRAFT_API_KEY", "secret")
        batch = to_batch(api.url, source, tmp_path / "out.jsonl")
        assert batch.run().num_answered == 12
        journal = json.dumps(dict(batch.completer.identity))
        assert "secret" not in journal


def test_a_server_that_restarts_loses_no_row(
    loaded, serving, offline, source, tmp_path
):
    """The server ends after some answers, and comes back at the same address."""
    with running(loaded, serving) as first:
        port = int(first.url.rpartition(":")[2])
        remote = RemoteApi(first.url, None, None, concurrency=2, patience_s=60)
        batch = to_batch(remote, source, tmp_path / "out.jsonl", shard_rows=2)
        done: list[Any] = []
        worker = threading.Thread(target=lambda: done.append(batch.run()))
        worker.start()
        while first.server.runner.admission.num_requests == 0 and worker.is_alive():
            threading.Event().wait(0.001)
    with running(loaded, serving, port=port):
        worker.join(60)
    assert done and done[0].num_answered == 12
    assert results_of(tmp_path / "out.jsonl") == [offline(text) for text in TEXTS]


def test_a_server_that_stays_away_ends_the_run_which_goes_on_later(
    loaded, serving, tmp_path
):
    turns = [[{"role": "user", "content": text}] for text in TEXTS]
    source = write_lines(tmp_path / "in.jsonl", [{"messages": t} for t in turns])
    out = tmp_path / "out.jsonl"
    with running(loaded, serving) as api:
        port = int(api.url.rpartition(":")[2])
        remote = RemoteApi(
            api.url, None, None, concurrency=2, patience_s=0, wait=lambda _: None
        )
    with pytest.raises(ConfigError, match="no answer"):
        to_batch(remote, source, out).run()
    assert not out.exists() and (tmp_path / ".out.jsonl.batch").is_dir()
    with running(loaded, serving, port=port):
        batch = to_batch(f"http://127.0.0.1:{port}", source, out)
        assert batch.run().num_answered == 12


class Scripted(BaseHTTPRequestHandler):
    """Replies that the real server gives seldom."""

    replies: list[tuple[int, bytes]] = []
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:  # pylint: disable=invalid-name  # as its base calls it
        self._reply(200, b'{"data": [{"id": "m"}]}')

    def do_POST(self) -> None:  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers["content-length"]))
        self._reply(*self.replies.pop(0))

    def log_message(self, *args: object) -> None:  # pylint: disable=arguments-differ
        pass

    def _reply(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(content)


GOOD = (200, b'{"choices": [{"text": "x", "finish_reason": "stop"}]}')
LATE = (503, b'{"error": {"code": "deadline_exceeded", "message": "too late"}}')


@pytest.mark.parametrize(
    "replies, error",
    [
        ([(502, b"<html>proxy</html>"), (200, b"no json"), GOOD], None),
        ([(500, b'{"error": {"message": "broken"}}')] * 5, "broken"),
        ([LATE] * 5, "too late"),
        ([(504, b"gateway")] * 4 + [GOOD], None),
        ([(413, b"too large")], "status 413: too large"),
    ],
)
def test_a_row_that_breaks_the_server_fails_after_a_few_tries(tmp_path, replies, error):
    source = write_lines(tmp_path / "in.jsonl", [{"prompt": "a"}])
    Scripted.replies = list(replies)
    with ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            remote = RemoteApi(
                f"http://127.0.0.1:{server.server_port}",
                None,
                None,
                concurrency=1,
                patience_s=60,
                wait=lambda _: None,
            )
            to_batch(remote, source, tmp_path / "out.jsonl").run()
        finally:
            server.shutdown()
    assert not Scripted.replies
    assert results_of(tmp_path / "out.jsonl", "error") == [error]


@pytest.mark.parametrize(
    "header, seconds",
    [(None, None), ("7", 7.0), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert to_seconds(header) == seconds
