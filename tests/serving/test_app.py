"""Limits, errors, keys and the end of requests, on a real server."""

import hashlib
import json
import socket
import time

import httpx2
import pytest
from api_server import Running, request_lines, running
from endless import endless
from waiting import wait_until

LONG = {"model": "translator", "prompt": "The cat sleeps.", "max_tokens": 400}
"""A request that takes about a second."""


def is_idle(api: Running) -> bool:
    runner = api.server.runner
    return not (runner.engine.num_rows or runner.admission.num_requests)


def without_end(loaded):
    """A version whose completions end at their limit alone."""
    return endless(loaded, loaded.length - 100)


def test_a_client_that_leaves_a_stream_frees_its_slot(loaded, serving):
    with running(without_end(loaded), serving) as api:
        url = f"{api.url}/v1/completions"
        with httpx2.stream("POST", url, json={**LONG, "stream": True}) as response:
            lines = response.iter_lines()  # closes the response when it is deleted
            next(lines)
            assert api.server.runner.engine.num_rows == 1
        wait_until(lambda: is_idle(api))


def test_a_client_that_leaves_before_the_answer_frees_its_slot(loaded, serving):
    body = json.dumps(LONG).encode()
    head = (
        "POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json"
        f"\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with running(without_end(loaded), serving) as api:
        port = int(api.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head.encode() + body)
            wait_until(lambda: api.server.runner.engine.num_rows == 1)
        wait_until(lambda: is_idle(api))


def test_past_the_limit_a_request_is_refused_with_the_time_to_wait(loaded, serving):
    limited = serving.model_copy(update={"max_open_requests": 1})
    with running(without_end(loaded), limited) as api:
        url = f"{api.url}/v1/completions"
        with httpx2.stream("POST", url, json={**LONG, "stream": True}) as response:
            lines = response.iter_lines()  # closes the response when it is deleted
            next(lines)
            refused = api.post("/v1/completions", **LONG)
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) >= 1
            assert refused.json()["error"]["code"] == "overloaded"
        wait_until(lambda: is_idle(api))
        assert api.post("/v1/completions", **LONG).status_code == 200


def test_a_request_past_its_deadline_ends_and_frees_its_slot(loaded, serving):
    hurried = serving.model_copy(update={"deadline_s": 0.2})
    with running(without_end(loaded), hurried) as api:
        late = api.post("/v1/completions", **LONG)
        assert late.status_code == 503 and "retry-after" in late.headers
        lines = api.post("/v1/completions", **LONG, stream=True).text.splitlines()
        assert "deadline_exceeded" in lines[-2]
        wait_until(lambda: is_idle(api))


def test_while_draining_new_requests_are_refused_and_open_ones_end(loaded, serving):
    with running(without_end(loaded), serving) as api:
        url = f"{api.url}/v1/completions"
        with httpx2.stream("POST", url, json={**LONG, "stream": True}) as response:
            lines = response.iter_lines()
            next(lines)
            assert api.get("/health/ready").status_code == 200
            api.server.runner.admission.draining = True
            assert api.get("/health/ready").status_code == 503
            assert api.get("/health/live").status_code == 200
            assert api.post("/v1/completions", **LONG).status_code == 503
            assert [line for line in lines if line][-1] == "data: [DONE]"


def test_a_key_is_required_if_there_are_keys(loaded, serving, tmp_path):
    digests = {"ann": hashlib.sha256(b"secret").hexdigest()}
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(digests))
    locked = serving.model_copy(update={"keys_file": str(file)})
    with running(loaded, locked) as api:

        def ask(key: str) -> int:
            headers = {"authorization": f"Bearer {key}"}
            return httpx2.get(f"{api.url}/v1/models", headers=headers).status_code

        assert api.get("/v1/models").status_code == 401
        assert (ask("secret"), ask("other")) == (200, 401)
        assert api.get("/health/live").status_code == 200
        file.write_text(json.dumps({"bob": hashlib.sha256(b"new").hexdigest()}))
        assert (ask("secret"), ask("new")) == (401, 200)


def test_a_body_above_the_limit_is_refused_also_without_its_length(loaded, serving):
    small = serving.model_copy(update={"max_body_bytes": 200})
    with running(loaded, small) as api:
        body = json.dumps({**LONG, "prompt": "a" * 500}).encode()
        for content in (body, iter([body])):
            found = httpx2.post(f"{api.url}/v1/completions", content=content)
            assert found.status_code == 413
            assert found.json()["error"]["code"] == "request_too_large"


def test_too_many_requests_of_one_client_are_refused(loaded, serving):
    slow = serving.model_copy(update={"requests_per_minute": 2})
    with running(loaded, slow) as api:
        found = [api.get("/v1/models").status_code for _ in range(3)]
        assert found == [200, 200, 429]


def test_an_error_of_any_kind_has_openai_s_schema(api):
    for response in (
        api.get("/v1/nothing"),
        api.get("/v1/completions"),
        httpx2.post(f"{api.url}/v1/completions", content=b"{"),
        api.post("/v1/completions", model="translator"),
        api.post("/v1/completions", model="translator", prompt=[10**9]),
        api.post("/v1/completions", model="translator", prompt=""),
        api.post("/v1/completions", model="translator", prompt=True),
    ):
        assert 400 <= response.status_code < 500
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"} and error["message"]


def test_a_body_that_is_sent_as_a_form_is_told_which_header_it_lacks(api):
    body = json.dumps(LONG).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}  # as curl -d
    found = httpx2.post(f"{api.url}/v1/completions", content=body, headers=headers)
    assert found.status_code == 400
    assert "content-type: application/json" in found.json()["error"]["message"]


@pytest.mark.slow
def test_a_connection_outlasts_the_idle_time_of_clients(api):
    with httpx2.Client(limits=httpx2.Limits(keepalive_expiry=60)) as client:
        addresses = set()
        for seconds in (6, 0):
            with client.stream("GET", f"{api.url}/v1/models") as found:
                found.read()
                stream = found.extensions["network_stream"]
                addresses.add(stream.get_extra_info("client_addr"))
            time.sleep(seconds)
    assert found.status_code == 200 and len(addresses) == 1


def test_answers_name_their_version_and_request(api):
    response = api.post("/v1/completions", **{**LONG, "max_tokens": 2})
    assert response.headers["x-graft-version"] == "translator/3"
    request_id = response.headers["x-request-id"]
    assert response.json()["id"] == f"cmpl-{request_id}"
    assert "server" not in response.headers


def test_the_fields_of_the_task_make_the_prompt_of_training(api):
    row = {"source": "The cat sleeps."}
    found = api.post("/v1/tasks/translation", fields=row)
    plain = api.post("/v1/completions", model="translator", prompt=row["source"])
    assert found.json()["choices"] == plain.json()["choices"]
    for fields, param in (({"target": "a"}, "target"), ({}, "source")):
        refused = api.post("/v1/tasks/translation", fields=fields)
        assert refused.status_code == 400
        assert refused.json()["error"]["param"] == param


def test_the_log_has_a_line_per_request_without_its_texts(api, caplog):
    caplog.set_level("INFO", "graft.requests")
    api.post("/v1/completions", **{**LONG, "prompt": "A secret.", "max_tokens": 3})
    (line,) = request_lines(caplog)
    entry = json.loads(line)
    assert entry["status"] == 200 and entry["completion_tokens"] == 3
    assert entry["version"] == "translator/3" and "secret" not in line
