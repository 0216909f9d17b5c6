"""The API as OpenAI's own Python client sees it."""

import openai
import pytest
from openai import OpenAI

QUESTION = [{"role": "user", "content": "The cat sleeps on the table."}]


@pytest.fixture(name="client")
def _client(api) -> OpenAI:
    return OpenAI(base_url=f"{api.url}/v1", api_key="none", max_retries=0)


def test_models_are_the_name_and_the_version(client):
    names = [model.id for model in client.models.list()]
    assert names == ["translator", "translator@champion", "translator/3"]
    assert client.models.retrieve("translator/3").object == "model"


def test_a_chat_is_answered_as_in_the_evaluation(client, offline):
    found = client.chat.completions.create(model="translator", messages=QUESTION)
    (choice,) = found.choices
    assert choice.message.content == offline(QUESTION[0]["content"])
    assert found.model == "translator/3" and choice.message.role == "assistant"


def test_a_stream_has_the_text_of_the_whole_answer(client):
    whole = client.chat.completions.create(model="translator", messages=QUESTION)
    chunks = list(
        client.chat.completions.create(
            model="translator",
            messages=QUESTION,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks[:-1])
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    finishes = [c.choices[0].finish_reason for c in chunks[:-1]]
    assert finishes[-1] == whole.choices[0].finish_reason
    assert not any(finishes[:-1])
    assert all(c.usage is None for c in chunks[:-1])
    assert not chunks[-1].choices and chunks[-1].usage == whole.usage


def test_usage_counts_prompt_and_generated_tokens(client, loaded):
    found = client.completions.create(
        model="translator", prompt="The cat sleeps.", max_tokens=5
    )
    template = loaded.version.template
    ids = template.encode_prompt([{"role": "user", "content": "The cat sleeps."}])
    assert found.usage.prompt_tokens == len(ids)
    assert found.usage.completion_tokens == 5
    assert found.usage.total_tokens == len(ids) + 5
    assert found.choices[0].finish_reason == "length"


def test_several_prompts_and_completions_keep_their_places(client, offline):
    prompts = ["The cat sleeps.", "We bought a house."]
    found = client.completions.create(
        model="translator", prompt=prompts, n=2, temperature=0
    )
    texts = [offline(prompt) for prompt in prompts for _ in range(2)]
    assert [choice.text for choice in found.choices] == texts
    assert [choice.index for choice in found.choices] == [0, 1, 2, 3]


def test_completions_of_one_prompt_differ_and_repeat_with_the_seed(client):
    def ask() -> list[str]:
        found = client.chat.completions.create(
            model="translator", messages=QUESTION, n=4, temperature=1.5, seed=7
        )
        return [choice.message.content for choice in found.choices]

    first = ask()
    assert len(set(first)) == 4 and ask() == first


def test_a_stop_text_ends_the_answer_before_itself(client):
    whole = client.chat.completions.create(model="translator", messages=QUESTION)
    text = whole.choices[0].message.content
    stop = text[len(text) // 2 :][:2]
    found = client.chat.completions.create(
        model="translator", messages=QUESTION, stop=stop
    )
    assert found.choices[0].message.content == text[: text.index(stop)].rstrip()
    assert found.choices[0].finish_reason == "stop"


def test_log_probabilities_are_of_the_tokens_of_the_text(client):
    found = client.chat.completions.create(
        model="translator", messages=QUESTION, logprobs=True, top_logprobs=3
    )
    logs = found.choices[0].logprobs.content
    text = found.choices[0].message.content
    assert "".join(log.token for log in logs).strip() == text
    for log in logs:
        assert len(log.top_logprobs) == 3 and log.logprob <= 0
        assert log.top_logprobs[0].logprob == log.logprob  # greedy: the most likely
        assert log.bytes == list(log.token.encode())


def test_token_ids_are_a_prompt_as_they_are(client, loaded, offline):
    template = loaded.version.template
    ids = template.encode_prompt([{"role": "user", "content": "The cat sleeps."}])
    found = client.completions.create(model="translator", prompt=ids)
    assert found.choices[0].text == offline("The cat sleeps.")


def test_several_prompts_of_token_ids_keep_their_places(client, loaded, offline):
    texts = ["The cat sleeps.", "We bought a house."]
    encode = loaded.version.template.encode_prompt
    ids = [encode([{"role": "user", "content": text}]) for text in texts]
    found = client.completions.create(model="translator", prompt=ids, temperature=0)
    assert [choice.text for choice in found.choices] == list(map(offline, texts))


def test_the_places_of_tokens_are_the_same_in_a_stream(client):
    asked = {
        "model": "translator",
        "prompt": ["The cat sleeps on the table.", "It is late."],
        "logprobs": 1,
    }
    whole = client.completions.create(**asked)
    streamed: dict[int, list[int]] = {0: [], 1: []}
    for chunk in client.completions.create(**asked, stream=True):
        for choice in chunk.choices:
            if choice.logprobs:
                streamed[choice.index] += choice.logprobs.text_offset
    assert len(streamed[0]) > 3
    for choice in whole.choices:
        assert streamed[choice.index] == choice.logprobs.text_offset


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"temperature": 3}, "temperature"),
        ({"n": 0}, "n"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"max_tokens": 3, "max_completion_tokens": 4}, "max_tokens"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"extra_body": {"tempurature": 0}}, "tempurature"),
        ({"max_tokens": 100_000}, "max_tokens"),
        ({"messages": [{"role": "assistant", "content": "a"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages.0.content"),
    ],
)
def test_a_field_that_cannot_be_honoured_is_named(client, changes, param):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            **{"model": "translator", "messages": QUESTION} | changes
        )
    assert caught.value.body["param"] == param
    assert param.split(".")[0] in caught.value.body["message"]


def test_values_that_change_nothing_are_accepted(client):
    plain = client.chat.completions.create(model="translator", messages=QUESTION)
    found = client.chat.completions.create(
        model="translator",
        messages=QUESTION,
        frequency_penalty=0,
        presence_penalty=0,
        logit_bias={},
        tools=[],
        response_format={"type": "text"},
        user="someone",
    )
    assert found.choices[0].message == plain.choices[0].message


def test_another_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError, match="translator/3"):
        client.chat.completions.create(model="gpt-4", messages=QUESTION)
