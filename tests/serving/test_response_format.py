"""The field response_format, as OpenAI's own client and plain requests send it."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import OpenAI
from pydantic import BaseModel, Field
from small_schemas import SCHEMAS, TOO_COMPLEX, check

QUESTION: list[Any] = [{"role": "user", "content": "The cat sleeps on the table."}]
SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["cat", "dog"]},
        "lives": {"type": "integer", "minimum": 1, "maximum": 9},
        "name": {"type": "string", "maxLength": 12},
    },
    "required": ["kind", "lives", "name"],
    "additionalProperties": False,
}


@pytest.fixture(name="client")
def _client(api) -> OpenAI:
    return OpenAI(base_url=f"{api.url}/v1", api_key="none", max_retries=0)


def wanted(schema: Any) -> Any:
    return {"type": "json_schema", "json_schema": {"name": "one", "schema": schema}}


def chat(client: OpenAI, schema: Any, **changes: Any) -> Any:
    values = {"max_tokens": 300, "messages": QUESTION, "model": "translator"}
    return client.chat.completions.create(
        response_format=wanted(schema), **(values | changes)
    )


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(schema=SCHEMAS, temperature=st.sampled_from([0, 1, 2]), seed=st.integers(0, 99))
def test_an_answer_is_json_that_the_schema_accepts(client, schema, temperature, seed):
    found = chat(client, schema, temperature=temperature, seed=seed)
    assert found.choices[0].finish_reason == "stop"
    check(found.choices[0].message.content, schema)


class Animal(BaseModel):
    """What OpenAI's client turns into a strict schema, and an answer back into."""

    kind: Literal["cat", "dog"]
    lives: int = Field(ge=1, le=9)
    friends: list[Literal["Ann", "Bob"]] = Field(max_length=2)


def test_openai_s_client_parses_answers_into_its_own_types(client):
    found = client.chat.completions.parse(
        model="translator", messages=QUESTION, response_format=Animal, max_tokens=100
    )
    assert isinstance(found.choices[0].message.parsed, Animal)


def test_a_stream_has_the_text_of_the_whole_answer(client):
    whole = chat(client, SCHEMA, temperature=1, seed=5, n=2)
    texts = ["", ""]
    for chunk in chat(client, SCHEMA, temperature=1, seed=5, n=2, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == [choice.message.content for choice in whole.choices]
    assert texts[0] != texts[1]
    for text in texts:
        check(text, SCHEMA)


def test_a_stop_text_ends_an_answer_before_the_json_does(client):
    found = chat(client, SCHEMA, stop='"lives"').choices[0]
    assert found.finish_reason == "stop"
    assert found.message.content in ('{"kind": "cat",', '{"kind":"cat",') or (
        found.message.content in ('{"kind": "dog",', '{"kind":"dog",')
    )


def test_without_room_for_the_json_the_answer_ends_at_its_length(client):
    found = chat(client, SCHEMA, max_tokens=3).choices[0]
    assert found.finish_reason == "length"


def test_a_json_object_may_be_any(client):
    found = client.chat.completions.create(
        model="translator",
        messages=QUESTION,
        response_format={"type": "json_object"},
        temperature=1,
        seed=3,
        max_tokens=300,
    ).choices[0]
    assert found.message.content.startswith("{")
    if found.finish_reason == "stop":
        assert isinstance(json.loads(found.message.content), dict)


def test_other_requests_beside_it_are_answered_as_without_it(client, offline):
    def ask(number: int) -> Any:
        if number % 2:
            return chat(client, SCHEMA, temperature=1, seed=number)
        return client.chat.completions.create(model="translator", messages=QUESTION)

    with ThreadPoolExecutor(8) as pool:
        found = [one.choices[0].message.content for one in pool.map(ask, range(16))]
    assert set(found[::2]) == {offline(QUESTION[0]["content"])}
    for text in found[1::2]:
        check(text, SCHEMA)


@pytest.mark.parametrize(
    "path, body",
    [
        ("/v1/completions", {"model": "translator", "prompt": "The cat sleeps."}),
        ("/v1/tasks/translation", {"fields": {"source": "The cat sleeps."}}),
    ],
)
def test_the_other_routes_have_it_too(api, path, body):
    found = api.post(path, **body, response_format=wanted(SCHEMA), max_tokens=200)
    check(found.json()["choices"][0]["text"], SCHEMA)


@pytest.mark.parametrize(
    "value, param",
    [
        ({"type": "json_schema"}, "response_format"),
        ({"type": "text", "json_schema": {"name": "a", "schema": {}}}, "response_form"),
        ({"type": "grammar"}, "response_format.type"),
        (wanted({"type": "animal"}), "response_format.json_schema.schema"),
        (wanted({"uniqueItems": True}), "response_format.json_schema.schema"),
        (wanted([]), "response_format.json_schema.schema"),
        (wanted(TOO_COMPLEX), "response_format.json_schema.schema"),
        (
            {"type": "json_schema", "json_schema": {"schema": {}}},
            "response_format.json_schema.name",
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "a b", "schema": {}}},
            "response_format.json_schema.name",
        ),
    ],
)
def test_what_cannot_be_enforced_is_an_error_that_names_the_field(client, value, param):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="translator", messages=QUESTION, response_format=value
        )
    assert caught.value.body["param"].startswith(param)
    assert param.split(".")[-1] in str(caught.value)


def test_a_stream_that_becomes_too_complex_ends_with_the_same_error(client):
    with pytest.raises(openai.APIError, match="too complex"):
        list(chat(client, TOO_COMPLEX, stream=True))
