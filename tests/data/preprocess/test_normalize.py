"""Repairs of text."""

import unicodedata

import ftfy
import polars as pl
import pytest
from ftfy.chardata import CHARMAP_ENCODINGS
from hypothesis import given
from hypothesis import strategies as st
from translation_pairs import preprocess_config

from graft.data.preprocess import normalize

CONFIG = preprocess_config()
TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=40), min_size=1)


def clean(text: str) -> str:
    texts = pl.Series([text])
    for repair in normalize.repairs(CONFIG).values():
        texts = repair(texts)
    return str(texts[0])


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("dÃ©jÃ\u00a0 vu Ã  l'Ã©tÃ©", "déjà vu à l'été"),
        ("<b>Bonjour</b><br/>le&nbsp;monde", "Bonjour le monde"),
        ('<p class="x">a</p><!-- no -->b<script>var i;</script>', "a b"),
        ("&quot;a &amp; b&quot; &lt;b&gt;", '"a & b" <b>'),
        ("AT&T &c. a & b", "AT&T &c. a & b"),
        ("a <b and c> d", "a <b and c> d"),
        ("48/2=<<48/2=24>>24", "48/2=<<48/2=24>>24"),
        ("e\u0301te\u0301", "été"),
        ("a\x07b\u200bc\x00\ufeff", "abc"),
        ("نمی\u200cخواهم 👩\u200d🔬", "نمی\u200cخواهم 👩\u200d🔬"),
        ("  a\u00a0 \t b \u202f", "a b"),
        ("a \r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("one:\n    two  words\n\n\n\nend", "one:\n    two words\n\nend"),
        ("name\tage\n\nAnn\t\t30 \t", "name\tage\n\nAnn\t\t30"),
        ("&Atilde;&copy;t&Atilde;&copy;", "été"),
        ("&amp;eacute; is typed &#38;#233;", "&amp;eacute; is typed &#38;#233;"),
        ("L’œuvre « ça » — naïve…", "L’œuvre « ça » — naïve…"),
    ],
)
def test_content_stays_and_its_form_becomes_regular(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


SENTENCES = (
    "It’s said that naïve cafés — all 12 of them — cost “nothing”…",
    "Un été à Noël, ça coûte 5 € : où est l’œuvre « naïve » ?",
    "Über den Wäldern lag früh am Morgen schöner, weißer Nebel – „still“.",
    "В старом доме на берегу реки жили мои друзья — и их кошки.",
    "Zażółć gęślą jaźń, mówił źle śpiący żółw w łódce.",
    "It’s",
    "Ελλάδα, ğüneş, šķiņķis",
)


@pytest.mark.parametrize("encoding", [*CHARMAP_ENCODINGS, "cp1252", "cp850", "cp866"])
@pytest.mark.parametrize("errors", ["replace", "ignore"])
def test_mojibake_of_every_code_page_is_repaired(encoding: str, errors: str) -> None:
    once = [text.encode().decode(encoding, errors) for text in SENTENCES]
    twice = [text.encode().decode(encoding, errors) for text in once]
    broken = [*once, *twice, *(word for text in once for word in text.split())]
    mended = normalize.repair_mojibake(pl.Series(broken))
    assert mended.to_list() == [ftfy.fix_encoding(text) for text in broken]


LIKE_MOJIBAKE = st.text(
    st.sampled_from(
        sorted(
            {
                *"".join(
                    text.encode().decode(page, "ignore")
                    for text in SENTENCES
                    for page in CHARMAP_ENCODINGS
                ),
                *"\x1c\x85 ²½aZ‿⁀Ñ°",
            }
        )
    ),
    max_size=6,
)


@given(st.lists(LIKE_MOJIBAKE, min_size=1))
def test_every_text_that_ftfy_repairs_is_passed_to_it(texts: list[str]) -> None:
    mended = normalize.repair_mojibake(pl.Series(texts))
    assert mended.to_list() == [ftfy.fix_encoding(text) for text in texts]
    changed = [text for text in texts if ftfy.fix_encoding(text) != text]
    assert normalize.are_suspect(pl.Series(changed, dtype=pl.String)).all()


@given(TEXTS)
def test_a_repair_depends_on_no_other_text_of_the_batch(texts: list[str]) -> None:
    for repair in normalize.repairs(CONFIG).values():
        together = repair(pl.Series(texts, dtype=pl.String)).to_list()
        assert together == [repair(pl.Series([text]))[0] for text in texts]


@given(TEXTS)
def test_a_repair_leaves_its_input_as_it_was(texts: list[str]) -> None:
    column = pl.Series(texts + ["Ã©", "&eacute;"], dtype=pl.String)
    for repair in normalize.repairs(CONFIG).values():
        repair(column)
    assert column.to_list() == texts + ["Ã©", "&eacute;"]


@given(st.text(st.characters(codec="utf-8", exclude_characters="&<>")))
def test_regular_text_stays_as_it_is(text: str) -> None:
    steps = (normalize.compose, normalize.strip_controls, normalize.collapse_blanks)
    once = pl.Series([text])
    for step in steps:
        once = step(once)
    twice = once
    for step in steps:
        twice = step(twice)
    assert once.to_list() == twice.to_list()


def test_only_configured_repairs_are_made() -> None:
    off = CONFIG.model_copy(update={"repair_unicode": False, "strip_html": False})
    assert list(normalize.repairs(off)) == ["control characters", "whitespace"]


ODD = (
    "ab \n\t\u00a0\u00e9\u0301\u00c3\u00a9\u2019\u200b<b>"
    "&amp;\u212b\u202f\x85\x1c\u00ad\uac00"
)


@given(st.lists(st.text(st.sampled_from(ODD), max_size=12) | st.text(), min_size=1))
def test_no_repair_changes_a_text_that_is_not_suspect(texts: list[str]) -> None:
    before = pl.Series(texts)
    after = before
    for repair in normalize.repairs(CONFIG).values():
        after = repair(after)
    changed = before.filter(before != after)
    assert normalize.are_suspect(changed).all()


ODD = st.lists(
    st.text(
        st.sampled_from("ae\u0301\u00e9\uac00\u1100\u1161 \t\n\r\u2028\u00a0"),
        max_size=8,
    )
)


@given(ODD)
def test_the_filter_before_a_repair_does_not_change_its_result(
    texts: list[str],
) -> None:
    column = pl.Series(texts, dtype=pl.String)
    assert normalize.compose(column).to_list() == [
        unicodedata.normalize("NFC", text) for text in texts
    ]
    # With blanks before it, every text passes the filter.
    padded = normalize.collapse_blanks("  " + column)
    assert normalize.collapse_blanks(column).to_list() == padded.to_list()
