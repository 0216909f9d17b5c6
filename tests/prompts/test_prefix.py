"""A prompt at inference is exactly what precedes the answer in training."""

# pylint: disable=no-value-for-parameter  # hypothesis gives them

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import assistant, load, render, system, user
from tokenizers import Tokenizer

from graft.prompts import Template
from graft.prompts.mistral import load_official

PATTERN = "English: {source}\nFrench:"
OFFICIAL = "mistral-common:v3"
TEKKEN = "mistral-common:v3-tekken"
ODD = st.one_of(
    st.sampled_from(
        ["", " ", "\n", "  two spaces", " x ", "\n\n\tindented", "12 345,67", "été œuf"]
        + [
            "👩‍👩‍👧 emoji",
            "</s>",
            "<s>[INST]",
            "<|im_end|>",
            "{source}",
            "{system}",
            "▁",
            "a\u00a0b",
        ]
    ),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00")),
)


def check(template: Template, source: str, answer: str) -> None:
    messages = [user(source), assistant(answer)]
    encoded = template.encode([messages])[0]
    prompt = template.encode_prompt(messages)
    said = encoded.input_ids[len(prompt) :]
    assert encoded.input_ids[: len(prompt)] == prompt
    assert encoded.loss_mask == [False] * len(prompt) + [True] * len(said)
    assert prompt == template.encode_prompt(messages[:1])
    assert said[-1] == template.eos_id
    assert template.pad_id not in encoded.input_ids


@pytest.mark.parametrize("kind", ["byte_level", "metaspace", "qwen", OFFICIAL, TEKKEN])
@pytest.mark.parametrize("pattern", [PATTERN, "Q: {source}\nA:\n", "{source}"])
def test_a_pattern_prompt_is_a_prefix_of_the_training_sequence(
    folders: dict[str, Path], kind: str, pattern: str
) -> None:
    template = load(folders.get(kind, kind), pattern=pattern)

    @settings(max_examples=60, deadline=None)
    @given(ODD, ODD)
    def holds(source: str, answer: str) -> None:
        check(template, source, answer)

    holds()


@pytest.mark.parametrize("kind", ["byte_level", "metaspace", OFFICIAL, TEKKEN])
@pytest.mark.parametrize("pattern", [PATTERN, "Q: {source}\nA:\n"])
def test_an_answer_is_restored_from_its_ids(
    folders: dict[str, Path], kind: str, pattern: str
) -> None:
    template = load(folders.get(kind, kind), pattern=pattern)

    @settings(max_examples=60, deadline=None)
    @given(ODD.filter(lambda text: "▁" not in text))
    def holds(answer: str) -> None:
        encoded = template.encode([[user("x"), assistant(answer)]])[0]
        prompt = template.encode_prompt([user("x")])
        assert template.decode(encoded.input_ids[len(prompt) :]) == answer

    holds()


@pytest.mark.parametrize("kind", ["qwen", OFFICIAL])
def test_a_chat_prompt_is_a_prefix_of_the_training_sequence(
    folders: dict[str, Path], kind: str
) -> None:
    template = load(folders.get(kind, kind))

    @settings(max_examples=60, deadline=None)
    @given(ODD, ODD)
    def holds(source: str, answer: str) -> None:
        messages = [user(source), assistant(answer)]
        if template.refusal(messages) or not source.strip() or not answer.strip():
            return
        check(template, source, answer)

    holds()


@pytest.mark.parametrize("kind", ["qwen", OFFICIAL])
def test_in_a_long_chat_every_answer_carries_loss_and_nothing_else(
    folders: dict[str, Path], kind: str
) -> None:
    template = load(folders.get(kind, kind))
    messages = [
        system("Answer in French."),
        user("The cat\n  sleeps."),
        assistant("Le chat dort."),
        user("And the dog?"),
        assistant("\nLe chien aussi."),
    ]
    encoded = template.encode([messages])[0]
    trained = [
        token for token, mark in zip(encoded.input_ids, encoded.loss_mask) if mark
    ]
    end = template.show([template.eos_id])
    assert template.show(trained).split(end)[0].strip() == "Le chat dort."
    assert template.show(trained).split(end)[1].strip() == "Le chien aussi."
    assert trained.count(template.eos_id) == 2
    prompt = template.encode_prompt(messages)
    assert encoded.input_ids[: len(prompt)] == prompt
    assert (
        all(encoded.loss_mask[len(prompt) :]) and not encoded.loss_mask[len(prompt) - 1]
    )


def test_a_token_never_spans_a_prompt_and_its_answer(folders: dict[str, Path]) -> None:
    # Encoded together, the newlines on both sides would become one token.
    template = load(folders["qwen"])
    check(template, "x", "\n\nLe chat dort.")


def own_encoder(folders: dict[str, Path], kind: str) -> Callable[[str], list[int]]:
    """The model's own tokenizer, run by its own library."""
    if kind in (OFFICIAL, TEKKEN):
        version = kind.removeprefix("mistral-common:")
        official: Any = load_official(version).instruct.tokenizer
        return partial(official.encode, bos=False, eos=False)
    rust = Tokenizer.from_file(str(folders[kind] / "tokenizer.json"))
    rust.encode_special_tokens = True  # a text never writes a control token
    return lambda text: list(rust.encode(text, add_special_tokens=False).ids)


@pytest.mark.parametrize(
    "kind", ["byte_level", "metaspace", "prepending", "qwen", OFFICIAL, TEKKEN]
)
def test_a_text_that_has_no_prompt_has_its_tokenizers_own_ids(
    folders: dict[str, Path], kind: str
) -> None:
    template = load(folders.get(kind, kind), pattern=PATTERN)
    asked = load(folders.get(kind, kind), pattern="{source}")
    own = own_encoder(folders, kind)

    @settings(max_examples=60, deadline=None)
    @given(ODD | st.sampled_from(["Once", "The cat", " Once", "été"]))
    def holds(text: str) -> None:
        start = template.encode_prompt([assistant("x")])
        encoded = template.encode([[assistant(text)]])[0]
        assert encoded.input_ids == [*start, *own(text), template.eos_id]
        assert sum(encoded.loss_mask) == len(own(text)) + 1
        assert asked.encode_prompt([user(text)]) == encoded.input_ids[:-1]
        if "▁" not in text and text[:1].strip():  # else two texts have the same ids
            kept = normalize("NFC", text) if kind == "qwen" else text  # as Qwen's does
            assert template.decode(encoded.input_ids, start=True) == kept

    holds()


def test_a_batch_keeps_texts_and_answers_apart(folders: dict[str, Path]) -> None:
    template = load(folders["metaspace"], pattern=PATTERN)
    batch = [[assistant("Once")], [user("a"), assistant("Once")], [assistant("cat")]]
    assert template.encode(batch) == [template.encode([chat])[0] for chat in batch]


def test_a_completion_alone_carries_loss_after_bos(folders: dict[str, Path]) -> None:
    template = load(folders["byte_level"], pattern=PATTERN)
    encoded = template.encode([[assistant("Le chat dort.")]])[0]
    assert template.encode_prompt([assistant("Le chat dort.")]) == [1]
    assert encoded.loss_mask == [False] + [True] * (len(encoded.input_ids) - 1)
    assert render(template, [assistant("Le chat dort.")]) == "<s>Le chat dort.</s>"


def test_a_batch_gives_what_its_conversations_give_alone(
    folders: dict[str, Path],
) -> None:
    template = load(folders["byte_level"], pattern=PATTERN)
    batch = [[user(str(i)), assistant("é" * i)] for i in range(20)]
    alone = [template.encode([messages])[0] for messages in batch]
    assert template.encode(batch) == alone
