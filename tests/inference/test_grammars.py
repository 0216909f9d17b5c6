"""Whatever is chosen among the allowed tokens, the text has the form that is wanted."""

import json
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_schemas import SCHEMAS, TOO_COMPLEX, check
from template_kinds import KINDS, load_kinds

from graft.errors import RequestError
from graft.inference.detokenizer import StreamedText
from graft.inference.grammars import JSON_OBJECT, GrammarState, json_grammar


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    return load_kinds(tmp_path_factory.mktemp("tokenizers"))


@pytest.fixture(scope="module")
def bytes_of(templates):
    return {kind: template.token_bytes() for kind, template in templates.items()}


def allowed(state: GrammarState) -> list[int]:
    mask = np.frombuffer(state.allowed(), np.uint8)
    return [int(i) for i in np.flatnonzero(np.unpackbits(mask, bitorder="little"))]


def walk(template, token_bytes, grammar: str, draws: Random) -> str:
    """The text of tokens drawn from the allowed ones."""
    state, streamed, text = GrammarState(grammar, template), StreamedText(template), ""
    silent = {i for i, added in enumerate(token_bytes) if added is None}
    for _ in range(2000):
        open_ids = allowed(state)
        assert not (silent - {*template.stop_ids}).intersection(open_ids)
        token = draws.choice(open_ids)
        state.add(token)
        assert not state.failed
        text += streamed.push(token)
        if token in template.stop_ids or state.complete:
            return text + streamed.finish()
    raise AssertionError("no end")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None)
@given(schema=SCHEMAS, seed=st.integers(0, 99))
def test_any_allowed_tokens_make_json_that_the_schema_accepts(
    templates, bytes_of, kind, schema, seed
):
    grammar, draws = json_grammar(schema), Random(seed)
    text = walk(templates[kind], bytes_of[kind], grammar, draws)
    assert "\n" not in text
    check(text, schema)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(text=st.text())
def test_the_bytes_of_tokens_are_those_of_the_text(templates, bytes_of, kind, text):
    template, own = templates[kind], bytes_of[kind]
    ids = template.encode_text(text)
    joined = b"".join(own[i] or b"" for i in ids).decode()
    assert joined.strip() == template.decode(ids).strip()
    assert len(own) >= template.vocab_size - 1


def test_after_the_end_only_a_stop_token_is_allowed(templates):
    template = templates["tiny"]
    state = GrammarState(json_grammar({"const": "a"}), template)
    for token in template.encode_text('"a"'):
        assert not state.complete
        state.add(token)
    assert state.complete and allowed(state) == template.stop_ids


def test_the_models_own_tokens_write_what_must_follow(templates):
    template = templates["mistral-common:v3-tekken"]
    state = GrammarState(json_grammar({"const": "international"}), template)
    assert set(allowed(state)) == {template.encode_text('"international"')[0]}


@pytest.mark.parametrize(
    "schema, problem",
    [
        ({"type": "animal"}, "Invalid type: animal"),
        ({"type": "array", "uniqueItems": True}, "uniqueItems"),
        (
            {"type": "array", "uniqueItems": True, "x-guidance": {"lenient": True}},
            "uni",
        ),
        ({"$ref": "https://example.org/schema"}, "does not fetch"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "greater than maxLength"),
        ({"$ref": "#"}, "no value is valid"),
        ({"type": "string", "pattern": "(?=a)"}, "look-around"),
        ({"type": "string", "pattern": "("}, "regex parse error"),
        ({"type": "number", "minimum": float("nan")}, "not JSON compliant"),
        ({"enum": ["a" * 30_000]}, "characters, of at most"),
        ({"type": "integer", "multipleOf": 1_000_003}, "multipleOf is 1000003"),
        ({"properties": {"a": {"multipleOf": 7}}}, "multipleOf is 7"),
    ],
)
def test_a_schema_that_cannot_be_enforced_is_an_error(schema, problem):
    with pytest.raises(RequestError, match=problem):
        json_grammar(schema)


def test_a_schema_that_is_too_deep_is_an_error():
    schema = {"type": "null"}
    for _ in range(5000):
        schema = {"items": schema}
    with pytest.raises(RequestError):
        json_grammar(schema)


def test_any_json_object_is_allowed(templates):
    state = GrammarState(json_grammar(JSON_OBJECT), templates["tiny"])
    text = '{"a": [1, {"b": null}], "é": "\\n"}'
    for token in templates["tiny"].encode_text(text):
        assert token in allowed(state)
        state.add(token)
    assert state.complete and json.loads(text)


def test_a_grammar_that_becomes_too_complex_fails_and_then_only_ends(templates):
    state = GrammarState(json_grammar(TOO_COMPLEX), templates["tiny"])
    for token in templates["tiny"].encode_text('{"'):
        state.allowed()
        state.add(token)
    assert state.failed and not state.complete
    assert allowed(state) == templates["tiny"].stop_ids
