"""The page, as a browser's scripts use it: Gradio's events on a real server."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import httpx2
import pytest
from api_server import running
from demo_server import demo_of, wait_until_slots
from endless import endless

from graft.errors import ConfigError
from graft.serving.demo.page import listen, to_blocks

# Gradio computes statistics of its events with deprecated arguments of pandas.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")
MODELS = ["translator", "translator/3"]
QUESTION = (MODELS, "The cat sleeps.")


class Events:
    """The events of a session, in which something was asked."""

    def __init__(self, url: str, values: Sequence[object]) -> None:
        self._url = f"{url}/gradio_api"
        config = httpx2.get(f"{url}/config", timeout=60).json()["dependencies"]
        (number,) = [d["id"] for d in config if d["api_name"] == "translation"]
        self._asked = {"session_hash": "session", "fn_index": number}
        body = {**self._asked, "data": [None, *values]}
        found = httpx2.post(f"{self._url}/queue/join", json=body, timeout=60)
        self._asked["event_id"] = found.json()["event_id"]
        self.lines: Iterator[str] = iter(())

    def stop(self) -> None:
        """Cancel it."""
        done = httpx2.post(f"{self._url}/cancel", json=self._asked, timeout=60)
        assert done.json()["success"]

    def __iter__(self) -> Iterator[Any]:
        for line in self.lines:
            if line:
                yield json.loads(line.removeprefix("data: "))


@contextmanager
def asked(url: str, *values: object) -> Iterator[Events]:
    """Press the button of an open page."""
    events = Events(url, values)
    address = f"{url}/gradio_api/queue/data?session_hash=session"
    with httpx2.stream("GET", address, timeout=60) as response:
        events.lines = response.iter_lines()
        yield events


def until(events: Events, kind: str) -> tuple[int, Any]:
    """The number of steps before an event, and the event."""
    steps = 0
    for event in events:
        if event["msg"] == kind:
            return steps, event
        steps += event["msg"] == "process_generating"
    raise AssertionError("the events have ended")


def test_all_versions_answer_in_steps(api, tmp_path: Path) -> None:
    fields = {"source": "The cat sleeps."}
    answer = api.post("/v1/tasks/translation", fields=fields).json()["choices"][0]
    with demo_of(api.url, tmp_path) as url, asked(url, *QUESTION) as events:
        steps, last = until(events, "process_completed")
    assert last["success"] and steps > 2
    page = json.dumps(last["output"]["data"])
    assert page.count(json.dumps(answer["text"])[1:-1]) == 2


def test_stop_frees_the_slots(loaded, serving, tmp_path: Path) -> None:
    with (
        running(endless(loaded, 900), serving) as api,
        demo_of(api.url, tmp_path) as url,
        asked(url, *QUESTION) as events,
    ):
        until(events, "process_generating")
        wait_until_slots(api, 2)
        events.stop()
        wait_until_slots(api, 0)
        assert api.get("/health/ready").json()["open_requests"] == 0


def test_a_closed_page_frees_the_slots(loaded, serving, tmp_path: Path) -> None:
    with (
        running(endless(loaded, 900), serving) as api,
        demo_of(api.url, tmp_path) as url,
    ):
        with asked(url, *QUESTION) as events:
            until(events, "process_generating")
            wait_until_slots(api, 2)
        wait_until_slots(api, 0)


def test_nothing_is_asked_without_a_text(api, tmp_path: Path) -> None:
    with demo_of(api.url, tmp_path) as url, asked(url, MODELS, "  ") as events:
        steps, last = until(events, "process_completed")
    assert last["success"] and steps <= 1


def test_the_page_forbids_what_comes_from_elsewhere(api, tmp_path: Path) -> None:
    with demo_of(api.url, tmp_path) as url:
        response = httpx2.get(url, timeout=60)
    assert response.headers["content-security-policy"].startswith("default-src 'self'")
    assert "fonts.googleapis" not in response.text


def test_an_address_in_use_is_an_error_that_names_the_option(api) -> None:
    port = int(api.url.rpartition(":")[2])
    with pytest.raises(ConfigError, match="--port"):
        listen(gr.Blocks, "127.0.0.1", port)


def test_without_an_api_there_is_no_page() -> None:
    from graft.serving.demo.client import ApiClient

    with pytest.raises(ConfigError, match="graft serve"):
        to_blocks(ApiClient("http://127.0.0.1:9"), [], None)  # type: ignore[arg-type]
