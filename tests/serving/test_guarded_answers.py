"""Guards of the API: redacted answers, whole and streamed, and what shows it."""

import json
from typing import Any

import openai
import pytest
from api_server import request_lines, running
from endless import endless
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import OpenAI
from waiting import wait_until

QUESTION: list[Any] = [{"role": "user", "content": "The cat sleeps on the table."}]
SECRET = "06 12 34 56 78"
FORM = {
    "type": "json_schema",
    "json_schema": {
        "name": "one",
        "schema": {"const": f"Call Ann at {SECRET} today, or ann@example.org later."},
    },
}
"""Makes the model write personal data."""


@pytest.fixture(scope="module", name="config")
def _config(serving, tmp_path_factory):
    file = tmp_path_factory.mktemp("guards") / "blocked"
    file.write_text("chat\n", "utf-8")
    guards = [
        {"kind": "personal_data", "regions": ["FR"]},
        {"kind": "block_list", "file": str(file)},
        {"kind": "max_chars", "limit": 60},
    ]
    return type(serving).model_validate({**serving.model_dump(), "guards": guards})


@pytest.fixture(name="guarded")
def _guarded(loaded, config):
    with running(loaded, config) as api:
        yield api


@pytest.fixture(name="client")
def _client(guarded) -> OpenAI:
    return OpenAI(base_url=f"{guarded.url}/v1", api_key="none", max_retries=0)


def ask(client: OpenAI, **changes: Any) -> Any:
    values = {"model": "translator", "messages": QUESTION, "max_tokens": 100}
    return client.chat.completions.create(**(values | changes))


def test_personal_data_is_replaced_and_the_answer_shows_it(client):
    raw = client.chat.completions.with_raw_response.create(
        model="translator", messages=QUESTION, max_tokens=100, response_format=FORM
    )
    (choice,) = raw.parse().choices
    assert choice.message.content == '"Call Ann at [PHONE] today, or [EMAIL] later."'
    assert choice.finish_reason == "content_filter"
    assert choice.model_extra == {"guards": {"personal_data": 2}}
    assert raw.headers["x-graft-guards"] == "personal_data=2"


@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 9999),
    temperature=st.sampled_from([0, 1]),
    n=st.integers(1, 3),
    writes_data=st.booleans(),
)
def test_a_stream_has_the_text_of_the_whole_answer(
    client, seed, temperature, n, writes_data
):
    changes: dict[str, Any] = {"seed": seed, "temperature": temperature, "n": n}
    if writes_data:
        changes["response_format"] = FORM
    whole = [
        (one.message.content, one.finish_reason, one.model_extra)
        for one in ask(client, **changes).choices
    ]
    texts, ends, extras = [""] * n, [""] * n, [{}] * n
    for chunk in ask(client, **changes, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            assert SECRET[:8] not in texts[choice.index]
            if choice.finish_reason:
                ends[choice.index] = choice.finish_reason
                extras[choice.index] = choice.model_extra
    assert [*zip(texts, ends, extras)] == whole


def test_an_answer_that_a_guard_ends_frees_its_slot(loaded, config):
    with running(endless(loaded, loaded.length - 100), config) as api:
        body = {"model": "translator", "prompt": "The dog sleeps.", "max_tokens": 400}
        found = api.post("/v1/completions", **body).json()
        assert found["choices"][0]["finish_reason"] == "content_filter"
        assert found["usage"]["completion_tokens"] < 400
        lines = api.post("/v1/completions", **body, stream=True).text.splitlines()
        chunks = [json.loads(line[6:]) for line in lines if line[:7] == "data: {"]
        text = "".join(chunk["choices"][0]["text"] for chunk in chunks)
        assert text == found["choices"][0]["text"] and lines[-2] == "data: [DONE]"
        runner = api.server.runner
        wait_until(lambda: not runner.admission.num_requests)
        assert not runner.engine.num_rows


def test_the_log_counts_the_actions_of_guards_without_texts(client, caplog):
    caplog.set_level("INFO", "graft.requests")
    ask(client, response_format=FORM)
    (line,) = request_lines(caplog)
    assert json.loads(line)["guards"] == {"personal_data": 2}
    assert "Ann" not in line and "PHONE" not in line


def test_log_probabilities_would_show_the_text_and_are_refused(client):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, logprobs=True)
    assert caught.value.body["param"] == "logprobs"


def test_without_guards_nothing_is_marked(loaded, serving):
    with running(loaded, serving) as api:
        found = api.post("/v1/completions", model="translator", prompt="The cat.")
    assert "guards" not in found.json()["choices"][0]
    assert "x-graft-guards" not in found.headers
