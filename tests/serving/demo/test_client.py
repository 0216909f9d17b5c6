"""What the demo asks of a real API, and how its streams end."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from contextlib import aclosing

import pytest
from api_server import Running, running
from endless import endless
from waiting import wait_until

from graft.errors import ConfigError
from graft.serving.demo.client import ApiClient, Question, RefusedError
from graft.serving.demo.questions import CHAT_FORM, TEXT_FORM, Form, find_forms
from graft.serving.demo.sides import Side, first_choice, stream_all, to_label

FORM = Form("translation", ("source",))
FIELDS = {"source": "The cat sleeps."}
QUESTION = FORM.to_question(FIELDS, FORM.to_messages(FIELDS))


def ask(client: ApiClient, model: str, question: Question) -> list[str]:
    async def collect() -> list[str]:
        async with aclosing(client.stream(model, question)) as pieces:
            return [piece.text async for piece in pieces]

    return asyncio.run(collect())


def fill(
    client: ApiClient, sides: Sequence[Side], questions: Sequence[Question]
) -> int:
    """Ask, and count the steps in which answers have grown."""

    async def count() -> int:
        return len([1 async for _ in stream_all(client, sides, questions)])

    return asyncio.run(count())


def test_a_streamed_answer_is_that_of_the_api(api: Running) -> None:
    whole = api.post("/v1/tasks/translation", fields=FIELDS, seed=1, temperature=0)
    pieces = ask(ApiClient(api.url), "translator", QUESTION)
    assert len(pieces) > 1
    assert "".join(pieces) == whole.json()["choices"][0]["text"]


def test_the_forms_are_those_of_the_task(api: Running) -> None:
    client = ApiClient(api.url)
    assert client.models()[0] == "translator"
    assert find_forms(client, "translator") == [FORM]


class OtherApi(ApiClient):
    """An API without routes of tasks."""

    def tasks(self) -> list[str]:
        return ["reasoning", "unknown"]


def test_without_a_task_a_chat_is_offered_if_the_template_can_write_it(
    api: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = OtherApi(api.url)
    assert find_forms(client, "translator") == [CHAT_FORM]
    monkeypatch.setattr(ApiClient, "accepts", lambda *_: False)
    assert find_forms(client, "translator") == [TEXT_FORM]
    assert not client.accepts("translator", Question("/v1/nothing", {}))


def test_a_chat_and_a_text_are_answered_too(api: Running) -> None:
    client, messages = ApiClient(api.url), CHAT_FORM.to_messages({"message": "Hello."})
    chat = CHAT_FORM.to_question({"message": "Hello."}, messages)
    text = TEXT_FORM.to_question({"text": "Hello."}, messages)
    answers = {"".join(ask(client, "translator", each)) for each in (chat, text)}
    assert len(answers) == 1 and "" not in answers


def test_an_error_of_the_api_is_its_message(api: Running) -> None:
    client = ApiClient(api.url)
    with pytest.raises(RefusedError, match="'other' is not served"):
        ask(client, "other", QUESTION)
    with pytest.raises(RefusedError, match="http://127.0.0.1:9"):
        ask(ApiClient("http://127.0.0.1:9"), "other", QUESTION)


def test_an_error_of_one_side_leaves_the_others_their_answers(api: Running) -> None:
    sides = [Side("translator"), Side("other"), Side("translator/3")]
    fill(ApiClient(api.url), sides, [QUESTION] * 3)
    assert sides[0].answer == sides[2].answer != ""
    assert [side.version for side in sides] == ["translator/3", "", "translator/3"]
    assert sides[1].error and not sides[1].answer


def test_closing_the_answers_frees_their_slots(loaded, serving) -> None:
    with running(endless(loaded, 900), serving) as api:
        sides = [Side("translator"), Side("translator/3")]

        async def begin_and_leave() -> None:
            steps = stream_all(ApiClient(api.url), sides, [QUESTION] * 2)
            async with aclosing(steps):
                async for _ in steps:
                    if all(side.answer for side in sides):
                        break
            assert api.server.runner.engine.failure is None

        asyncio.run(begin_and_leave())
        wait_until(lambda: not api.server.runner.engine.num_rows)
        assert all(len(side.answer) < 900 for side in sides)


def test_without_an_api_the_error_names_the_command_that_starts_one() -> None:
    with pytest.raises(ConfigError, match="graft serve"):
        ApiClient("http://127.0.0.1:9").models()
    with pytest.raises(ConfigError, match="graft serve"):
        ApiClient("nonsense").models()
    with pytest.raises(ConfigError, match="graft serve"):
        ApiClient("http://127.0.0.1:9").accepts("any", QUESTION)


def test_a_key_is_sent_and_its_lack_is_an_error(loaded, serving, tmp_path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"ann": hashlib.sha256(b"secret").hexdigest()}))
    locked = serving.model_copy(update={"keys_file": str(file)})
    with running(loaded, locked) as api:
        assert ask(ApiClient(api.url, "secret"), "translator", QUESTION)
        with pytest.raises(ConfigError, match="GRAFT_API_KEY: is not set"):
            ApiClient(api.url).models()
        with pytest.raises(ConfigError, match="refuses this key"):
            ApiClient(api.url, "wrong").models()


def test_base_champion_and_challenger_are_compared_if_they_are_served() -> None:
    names = ["t", "t@champion", "t@challenger", "t@base", "t/1", "t/2"]
    assert first_choice(names) == ["t@base", "t@champion", "t@challenger"]
    assert first_choice(["t", "t@champion", "t/1"]) == ["t"]
    labels = ["t", "champion", "challenger", "base", "version 1", "version 2"]
    assert [to_label(name) for name in names] == labels
    assert to_label("org/model") == "org/model"


def test_optional_fields_are_sent_only_if_they_are_filled_in() -> None:
    form = Form("instruction", ("instruction", "input"), frozenset(["input"]))
    values = {"instruction": "Make tea.", "input": " "}
    messages = form.to_messages(values)
    assert [message["content"] for message in messages] == ["Make tea."]
    assert form.to_question(values, messages).body == {
        "fields": {"instruction": "Make tea."}
    }
    assert form.missing({"instruction": " ", "input": ""}) == ["instruction"]
