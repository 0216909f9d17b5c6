"""The record of a request, on a real server without a model."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from api_server import Running, running
from echo_engine import EchoBatch
from raw_http import open_post
from recorder import Recorder
from tiny_server import load_without_weights, served_version, serving_config
from waiting import wait_until

from graft.monitoring.served_request import ServedRequest
from graft.serving.served_model import ServedVersion

LOADED = load_without_weights()
BODY = {"model": "translator", "prompt": "The cat sleeps.", "max_tokens": 4}
CHAT = "/v1/chat/completions"


class Echo(EchoBatch):
    """Answers every prompt that begins with another token."""

    waits, rejects, dies = 7, 8, -1


WAITS: dict[str, Any] = {"model": "translator", "prompt": [Echo.waits], "max_tokens": 4}


class Broken:
    """An observer that fails."""

    def observe(self, request: ServedRequest) -> None:
        raise RuntimeError(request.id)


@dataclass
class TwoVersions:
    """A registry with a champion and a challenger."""

    version: ServedVersion

    def held(self) -> Mapping[str, str]:
        return {"champion": "3", "challenger": "4"}

    def fetch(self, version: str) -> tuple[ServedVersion, Path]:
        changed = self.version.__dict__ | {"version": version}
        return ServedVersion(**changed), Path()


def serve(recorder: Recorder, **changes: Any) -> Any:
    registry = TwoVersions(served_version()) if "canary" in changes else None
    observers = [Broken(), recorder]
    serving = serving_config(**changes)
    return running(LOADED, serving, Echo(), registry, observers=observers)


def test_a_record_has_texts_tokens_times_and_the_version() -> None:
    with serve(recorder := Recorder()) as api:
        answer = api.post("/v1/completions", **BODY, n=2)
        (one,) = recorder.wait()
    usage = answer.json()["usage"]
    assert one.id == answer.headers["x-request-id"] and one.outcome == "completed"
    assert (one.route, one.status, one.client) == ("/v1/completions", 200, None)
    assert (one.version, one.group) == ("translator/3", "main")
    assert one.prompt == "The cat sleeps." and one.finishes == ["length"] * 2
    assert one.completions == [c["text"] for c in answer.json()["choices"]]
    assert len(one.prompt_ids) == one.num_prompt_tokens == usage["prompt_tokens"]
    assert one.num_completion_tokens == usage["completion_tokens"] == 8
    assert one.first_token_s is not None and 0 < one.first_token_s <= one.duration_s


def test_what_the_user_wrote_is_recorded_without_other_turns_and_names() -> None:
    turns = [("system", "Be kind."), ("user", "One."), ("assistant", "Two.")]
    turns = [*turns, ("user", "Three.")]
    messages = [{"role": role, "content": text} for role, text in turns]
    with serve(recorder := Recorder()) as api:
        api.post(CHAT, model="translator", messages=messages, max_tokens=1)
        api.post("/v1/tasks/translation", fields={"source": "A cat."}, max_tokens=1)
        found = [one.prompt for one in recorder.wait(2)]
    assert found == ["One.\nThree.", "A cat."]


def test_errors_are_recorded_by_who_caused_them(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"ann": hashlib.sha256(b"key").hexdigest()}), "utf-8")
    limits = {"max_body_bytes": 500, "max_open_tokens": 60, "deadline_s": 0.2}
    with serve(recorder := Recorder(), keys_file=str(keys), **limits) as api:
        headers = {"authorization": "Bearer key"}

        def post(**changes: Any) -> int:
            url, body = f"{api.url}/v1/completions", {**BODY, **changes}
            return httpx2.post(url, json=body, headers=headers, timeout=60).status_code

        cases: list[tuple[Any, str, int, str | None]] = [
            (lambda: post(temperature=-1), "client_error", 400, "invalid_value"),
            (lambda: post(model="x"), "client_error", 404, "model_not_found"),
            (lambda: post(prompt="x" * 600), "client_error", 413, "request_too_large"),
            (lambda: post(max_tokens=100), "rejected", 429, "overloaded"),
            (lambda: post(**WAITS), "deadline", 503, "deadline_exceeded"),
            (lambda: post(**WAITS, stream=True), "deadline", 200, "deadline_exceeded"),
            (lambda: post(prompt=[Echo.rejects]), "failed", 500, None),
            (lambda: api.post("/v1/completions"), "client_error", 401, None),
            (lambda: api.get("/v2/secret"), "client_error", 404, None),
        ]
        for number, (act, outcome, status, code) in enumerate(cases):
            act()
            one = recorder.wait(number + 1)[-1]
            assert (one.outcome, one.status) == (outcome, status), one
            assert code in (None, one.error), one
        assert [one.client for one in recorder.records[:2]] == ["ann", "ann"]
        assert recorder.records[-1].route == "other"
        assert recorder.records[3].version == "translator/3"


@pytest.mark.parametrize("streams", [True, False])
def test_a_client_that_leaves_is_recorded_as_such(streams: bool) -> None:
    with serve(recorder := Recorder()) as api:
        asyncio.run(leave(api, {**WAITS, "stream": streams}))
        (one,) = recorder.wait()
        assert (one.outcome, one.status) == ("client_gone", 499)
        assert one.first_token_s is None and one.s_per_token is None
        wait_until(lambda: not api.server.runner.admission.num_requests)


async def leave(api: Running, body: Mapping[str, Any]) -> None:
    """Send a request, and close the connection when the server works on it."""
    _, writer = await open_post(int(api.url.rpartition(":")[2]), body)
    await asyncio.to_thread(wait_until, lambda: api.server.runner.engine.num_rows)
    writer.close()
    await writer.wait_closed()


def test_a_shadow_s_answer_has_a_record_of_its_own() -> None:
    canary = {"alias": "challenger", "share": 1.0, "shadow": True}
    with serve(recorder := Recorder(), canary=canary) as api:
        wait_until(lambda: "translator@challenger" in api.server.versions.names)
        api.post("/v1/completions", **BODY)
        found = {one.group: one for one in recorder.wait(2)}
    main, shadow = found["main"], found["shadow"]
    assert (main.version, shadow.version) == ("translator/3", "translator/4")
    assert main.id == shadow.id and shadow.route == "/v1/completions"
    assert shadow.completions == main.completions and shadow.outcome == "completed"
