"""Guards act on a text alike, however it arrives, and show nothing that they remove."""

from functools import partial

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graft.config.guards import BlockListGuard, MaxCharsGuard, PersonalDataGuard
from graft.config.pii import KINDS, PiiConfig
from graft.data.preprocess.pii.scrub import Scrubber
from graft.errors import ConfigError
from graft.serving.guards.block_list import BlockList, Phrases
from graft.serving.guards.configured import to_guards
from graft.serving.guards.guard import GuardedText, Guards
from graft.serving.guards.max_chars import MaxChars
from graft.serving.guards.personal_data import AROUND, PersonalData, recogniser

find = recogniser(["FR", "US"])
SECRETS = {
    "EMAIL": ["ann.smith@example.com", "zoé@exemple.fr", "a+b@mail.example.org"],
    "PHONE": ["06 12 34 56 78", "+33 6 12 34 56 78", "+1 (212) 555-0123"],
    "IBAN": ["FR14 2004 1010 0505 0001 3M02 606", "DE89 3704 0044 0532 0130 00"],
    "CARD": ["4111 1111 1111 1111", "5500-0000-0000-0004"],
}
WORDS = st.sampled_from(
    "The cat sleeps . Le chat, dort ! été € 😀 12 2024 3,5 (a) \n \n\n \t @ +".split(
        " "
    )
)
SENTENCES = st.lists(WORDS, max_size=60).map(" ".join)
PHRASES = Phrases(["the cat sat", "cat", "foo bar", "é"])
ALL: Guards = [
    partial(PersonalData, find),
    partial(BlockList, Phrases(["sleeps well", "[EMAIL] dort"])),
    partial(MaxChars, 300),
]


@st.composite
def secret_texts(draw):
    """A text with personal data between other words."""
    hidden = draw(
        st.lists(st.sampled_from(sum(SECRETS.values(), [])), min_size=1, max_size=4)
    )
    parts = [draw(SENTENCES)]
    for one in hidden:
        parts += [one, f"; {draw(SENTENCES)}"]
    return " ".join(parts)


def cut_up(draw, text: str) -> list[str]:
    """The text in parts, some of them empty."""
    places = draw(st.lists(st.integers(0, len(text)), max_size=40))
    if draw(st.booleans()):
        places = range(len(text))
    bounds = sorted({0, *places, len(text)})
    return [text[one:other] for one, other in zip(bounds, bounds[1:])]


def shown(guards: Guards, parts: list[str]) -> list[str]:
    guarded = GuardedText(guards)
    return [*map(guarded.push, parts), guarded.push("", final=True)]


@settings(deadline=None)
@given(data=st.data())
def test_a_stream_shows_what_the_whole_text_does(data):
    text = data.draw(st.one_of(secret_texts(), st.text()))
    guards = data.draw(st.lists(st.sampled_from(ALL), max_size=3))
    assert "".join(shown(guards, cut_up(data.draw, text))) == "".join(
        shown(guards, [text])
    )


def scrubbed(text: str) -> str:
    """The text as preprocessing redacts it."""
    actions = dict.fromkeys(KINDS, "redact")
    config = PiiConfig.model_validate(
        {"actions": actions, "regions": ["FR", "US"], "unsure": "keep", "context": 0}
    )
    return Scrubber(config, {}).scrub(pl.Series([text]), pl.Series(["a"])).texts[0]


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_what_preprocessing_redacts_is_never_shown(data):
    text = data.draw(secret_texts())
    parts = shown(ALL[:1], cut_up(data.draw, text))
    assert "".join(parts) == scrubbed(text)


@settings(deadline=None)
@given(text=st.one_of(SENTENCES, st.text()))
def test_a_text_without_personal_data_stays_as_it_is(text):
    guarded = GuardedText(ALL[:1])
    found = guarded.push(text) + guarded.push("", final=True)
    if not guarded.actions:
        assert found == text


@pytest.mark.parametrize("kind", SECRETS)
def test_a_placeholder_names_the_kind(kind):
    for secret in SECRETS[kind]:
        guarded = GuardedText(ALL[:1])
        text = guarded.push(f"Call {secret} now.", final=True)
        assert text == f"Call [{kind}] now." and guarded.actions == {"personal_data": 1}


def test_no_more_is_held_back_than_a_block_and_what_follows_it():
    guarded = GuardedText(ALL[:1])
    for character in "word " * 200:
        guarded.push(character)
    rest = guarded.push("", final=True)
    assert len(rest) < 2 * AROUND


def blocked(text: str) -> str:
    """The text before the first phrase, found in the whole."""
    match = PHRASES.pattern.search(text)
    return text[: match.start()] if match else text


@given(data=st.data())
def test_a_text_ends_before_the_first_blocked_phrase(data):
    words = st.sampled_from(
        ["the", "The", "cat", "cats", "sat", "foo", "bar", "É", "x"]
    )
    gaps = st.sampled_from([" ", "\n", "  ", "-", ""])
    text = "".join(data.draw(st.lists(st.one_of(words, gaps), max_size=30)))
    parts = shown([partial(BlockList, PHRASES)], cut_up(data.draw, text))
    assert "".join(parts) == blocked(text)


@given(text=st.text(max_size=30), limit=st.integers(1, 30), data=st.data())
def test_a_text_ends_at_its_longest_length(text, limit, data):
    guarded = GuardedText([partial(MaxChars, limit)])
    parts = [*map(guarded.push, cut_up(data.draw, text)), guarded.push("", final=True)]
    assert "".join(parts) == text[:limit]
    assert guarded.actions == ({"max_chars": 1} if len(text) > limit else {})


def test_guards_are_made_in_the_configured_order(tmp_path):
    (tmp_path / "blocked").write_text("# not a phrase\n\nfoo  bar\n", "utf-8")
    configs = [
        PersonalDataGuard(kind="personal_data", regions=["FR"]),
        BlockListGuard(kind="block_list", file=str(tmp_path / "blocked")),
        MaxCharsGuard(kind="max_chars", limit=12),
    ]
    guarded = GuardedText(to_guards(configs))
    assert guarded.push("a@example.org says Foo bar", final=True) == "[EMAIL] says"
    assert guarded.actions == {"personal_data": 1, "block_list": 1, "max_chars": 1}


@pytest.mark.parametrize("content", [None, b"", b"# none\n", b"\xff\xfe"])
def test_a_file_without_phrases_is_an_error(tmp_path, content):
    file = tmp_path / "blocked"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=str(file)):
        to_guards([BlockListGuard(kind="block_list", file=str(file))])


def test_a_region_without_telephone_numbers_is_an_error():
    with pytest.raises(ConfigError, match="no telephone numbering plan for XX"):
        to_guards([PersonalDataGuard(kind="personal_data", regions=["XX"])])
