"""Streamed text equals the text of all tokens, for every kind of tokenizer."""

import pytest
from cut_text import cut
from hypothesis import given
from hypothesis import strategies as st
from small_tokenizers import user
from template_kinds import KINDS, load_kinds

from graft.inference.detokenizer import StreamedText

TEXTS = [
    "👩‍👩‍👧‍👦 e\u0301te\u0301 n̈ 🏳️‍🌈",
    "漢字かな交じり文、한국어 𠮷",
    "مرحبا بالعالم",
    " \n\n\u00a0\u3000\t",
    "\ufffd",
    "The cat sleeps.\nFrench: Le chat dort.",
]
STOPS = ["\n\n", " ", "\ufffd", "at", "aab", "Le chat dort.", "🏳️‍🌈", "\u0301"]


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    return load_kinds(tmp_path_factory.mktemp("tokenizers"))


def byte_tokens(template):
    low = range(min(template.vocab_size, 1300))
    broken = [i for i in low if "\ufffd" in template.decode([i])]
    return [*broken, *template.byte_ids]


@pytest.fixture(scope="module")
def bytes_of(templates):
    return {kind: byte_tokens(template) for kind, template in templates.items()}


def texts():
    return st.one_of(st.text(), st.lists(st.sampled_from(TEXTS)).map("".join))


@st.composite
def token_ids(draw, template, single_bytes):
    """Valid text, single bytes, special tokens and any tokens, in any order."""
    text = texts().map(lambda text: template.encode_prompt([user(f"a{text}")]))
    any_id = st.integers(0, template.vocab_size - 1)
    special = st.sampled_from([*template.stop_ids, template.pad_id])
    single = st.sampled_from(single_bytes)
    parts = [text, *(st.lists(one, max_size=9) for one in (any_id, single, special))]
    mixed = st.lists(st.one_of(any_id, single, special), max_size=9)
    return sum(draw(st.lists(st.one_of(*parts, mixed), max_size=6)), [])


@st.composite
def stop_texts(draw, whole):
    """Texts that occur, that nearly occur, and others; some begin alike."""
    starts = st.integers(0, max(len(whole) - 1, 0))
    lengths = st.integers(1, 6)
    part = st.builds(lambda at, n: whole[at : at + n] or "x", starts, lengths)
    near = st.builds(str.__add__, part, st.characters())
    other = st.one_of(st.sampled_from(STOPS), st.text(min_size=1, max_size=3))
    return draw(st.lists(st.one_of(part, near, other), max_size=4))


def stream(streamed, ids):
    """What is returned for ids, one by one, and at their end."""
    return "".join([*(streamed.push(token) for token in ids), streamed.finish()])


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_streamed_text_is_the_text_of_all_tokens(templates, bytes_of, kind, data):
    template = templates[kind]
    ids = data.draw(token_ids(template, bytes_of[kind]))
    whole = template.decode(ids)
    stop = data.draw(stop_texts(whole))
    streamed = StreamedText(template, stop)
    assert stream(streamed, ids) == cut(whole, stop)
    assert streamed.stopped == any(end in whole for end in stop)


@pytest.mark.parametrize("kind", KINDS)
@given(text=texts().map(lambda text: text.replace("\ufffd", "")))
def test_text_is_shown_as_soon_as_it_is_certain(templates, kind, text):
    template = templates[kind]
    ids = template.encode_prompt([user(f"a{text}")])
    streamed, shown = StreamedText(template), ""
    for end in range(1, len(ids) + 1):
        shown += streamed.push(ids[end - 1])
        whole = template.decode(ids[:end])
        byte_run = not template.byte_ids.isdisjoint(ids[max(end - 3, 0) : end])
        if not (whole.endswith("\ufffd") or byte_run):
            assert shown == whole.strip()


class CountingTemplate:
    """Counts the tokens that are decoded."""

    def __init__(self, template):
        self._template = template
        self.byte_ids = template.byte_ids
        self.num_decoded = 0

    def decode(self, ids):
        self.num_decoded += len(ids)
        return self._template.decode(ids)


@pytest.mark.parametrize("kind", KINDS)
def test_the_cost_is_linear_for_text_and_for_garbage(templates, bytes_of, kind):
    template = templates[kind]
    text = template.encode_prompt([user(" ".join(TEXTS))])
    space = template.encode_prompt([user("a   \n\n  a")])
    first, last = bytes_of[kind][0], bytes_of[kind][-1]
    special = template.stop_ids
    openings = [[], text, [first], [last], [*text, last], [*text, *special]]
    for opening in openings:
        for unit in (text, space, [first], [last], special, [last, *special]):
            ids = [*opening, *unit * (1 + 1000 // len(unit))]
            counting = CountingTemplate(template)
            stream(StreamedText(counting, ["\n\n\n\n\n"]), ids)
            assert counting.num_decoded < 25 * len(ids)
