"""Mistral's ids equal the official ones."""

# pylint: disable=no-value-for-parameter  # hypothesis gives them

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import assistant, load, render, system, user

from graft.errors import TemplateError
from graft.records import Message

TEKKEN = "v3-tekken"
VERSIONS = ["v1", "v2", "v3", TEKKEN, "v7"]
TEXTS = [
    "Hello, world!",
    "two\nlines\n\n\nand more\n",
    "def f(x):\n    if x:\n\treturn  {'a': 1}",
    "  leading and trailing  ",
    "Où est-elle allée ? L'été dernier… œuvre, naïf, Noël",
    "e\u0301 decomposed, \u00a0no-break, \u200bzero width",
    "👩‍👩‍👧‍👦 🇫🇷 ✅ 𝔘𝔫𝔦",
    "12,345.67 € 2024-11-20",
    "</s><s>[INST] [/INST]",
    "日本語 العربية हिन्दी",
]


def official(version: str) -> Any:
    from mistral_common.protocol.instruct.validator import ValidationMode
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer as Official

    make = (
        partial(Official.v3, True) if version == TEKKEN else getattr(Official, version)
    )
    path = make().instruct_tokenizer.tokenizer.file_path
    return Official.from_file(str(path), mode=ValidationMode.agnostic)


def official_ids(tokenizer: Any, messages: list[Message]) -> list[int]:
    from mistral_common.protocol.instruct.request import ChatCompletionRequest

    request = ChatCompletionRequest(messages=messages)
    return list(tokenizer.encode_chat_completion(request).tokens)


@pytest.mark.parametrize("version", VERSIONS)
def test_chats_have_the_official_ids(version: str) -> None:
    ours, theirs = load(f"mistral-common:{version}"), official(version)
    for text, other in zip(TEXTS, reversed(TEXTS), strict=True):
        chat = [system("Sois bref.\n"), user(text), assistant(other), user(other)]
        assert ours.encode_prompt(chat) == official_ids(theirs, chat)
        chat = [*chat, assistant(text)]
        assert ours.encode([chat])[0].input_ids == official_ids(theirs, chat)


@pytest.mark.parametrize("version", ["v3", TEKKEN])
def test_any_two_turns_have_the_official_ids(version: str) -> None:
    ours, theirs = load(f"mistral-common:{version}"), official(version)
    said = st.text(min_size=1).filter(lambda text: bool(text.strip()))

    @settings(max_examples=100, deadline=None)
    @given(said, said)
    def holds(source: str, answer: str) -> None:
        chat = [user(source), assistant(answer)]
        assert ours.encode([chat])[0].input_ids == official_ids(theirs, chat)
        assert ours.encode_prompt(chat) == official_ids(theirs, chat[:1])

    holds()


@pytest.mark.parametrize("text", TEXTS)
def test_a_pattern_prompt_has_the_official_ids_of_its_text(text: str) -> None:
    template = load("mistral-common:v3", pattern="English: {source}\nFrench:")
    base = official("v3").instruct_tokenizer.tokenizer
    asked = f"English: {text}\nFrench:"
    assert template.encode_prompt([user(text)]) == base.encode(
        asked, bos=True, eos=False
    )


def test_a_plain_answer_has_the_ids_of_the_whole_text_encoded_at_once() -> None:
    template = load("mistral-common:v3", pattern="English: {source}\nFrench:")
    chat = [user("The cat sleeps."), assistant("Le chat dort.")]
    whole = "English: The cat sleeps.\nFrench: Le chat dort."
    base = official("v3").instruct_tokenizer.tokenizer
    assert template.encode([chat])[0].input_ids == base.encode(
        whole, bos=True, eos=True
    )


def test_only_the_answer_and_its_end_carry_loss() -> None:
    template = load("mistral-common:v3")
    encoded = template.encode([[user("2+2?"), assistant("4.")]])[0]
    shown = template.show(
        [
            i
            for i, mark in zip(encoded.input_ids, encoded.loss_mask, strict=True)
            if mark
        ]
    )
    assert shown == " 4.</s>"
    assert render(template, [user("2+2?")]) == "<s>[INST] 2+2?[/INST]"


@pytest.mark.parametrize(
    "chat",
    [[assistant("a")], [system("s"), assistant("a")], [user("u"), assistant("")]],
)
def test_what_the_official_format_cannot_write_is_refused(chat: list[Message]) -> None:
    with pytest.raises(TemplateError, match="official Mistral chat format"):
        load("mistral-common:v3").encode([chat])


def test_ids_outside_the_vocabulary_are_left_out_of_a_text() -> None:
    template = load("mistral-common:v3")
    assert template.decode([1183, 99_999, 1972]) == template.decode([1183, 1972])
