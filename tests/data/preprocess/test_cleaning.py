"""Rules, repairs, personal data and groups within a batch."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from translation_pairs import Cleaned, clean_rows, pair, preprocess_config

from graft.data.preprocess.cleaning import ReviewDecisions

CONFIG = preprocess_config(min_chars=2, max_chars=60)


def clean(rows: list[dict[str, Any]], **changes: Any) -> Cleaned:
    config = preprocess_config(**{"min_chars": 2, "max_chars": 60} | changes)
    return clean_rows(rows, config)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (pair("a", "bonjour"), "too short"),
        (pair("<br/>", "bonjour"), "too short"),
        (pair("hello", "x" * 61), "too long"),
        (pair("Same  text", "Same text"), "identical sides"),
        (pair("hello", "un deux trois quatre cinq"), "length ratio"),
        (pair("good day", "bon \ufffd jour"), "lost characters"),
        (pair("good day", "TODO"), "placeholder"),
        (pair("he said it again", "ha ha ha ha ha ha ha ha ha"), "repetition"),
    ],
)
def test_a_useless_example_is_dropped_with_its_reason(
    line: dict[str, Any], reason: str
) -> None:
    found = clean([line, pair("good", "bon", 1)])
    assert [example["id"] for example in found.kept] == ["id1"]
    assert [(r["where"], r["reason"]) for r in found.dropped] == [("f:0", reason)]
    reject = found.dropped[0]
    assert reject["stage"] == "preprocess" and reject["id"] == "id0"
    assert reject["expected"] and reject["fix"] and reject["value"]
    assert '"messages":[{"role":"user"' in reject["row"]
    assert found.reasons == {reason: 1}


def test_rules_that_are_off_drop_nothing() -> None:
    rows = [pair("ab", "ab"), pair("ab", "un deux trois quatre cinq")]
    off = {"max_length_ratio": None, "drop_identical": False}
    assert len(clean(rows, **off).kept) == 2


def test_an_answer_without_a_question_has_no_ratio() -> None:
    assert len(clean([pair(None, "un deux trois quatre cinq")]).kept) == 1


def test_examples_with_one_prompt_are_one_group_unless_the_source_has_groups() -> None:
    rows = [
        pair("hello", "salut", 0),
        pair("hello ", "bonjour", 1),
        pair("other", "autre", 2),
        pair("hello", "coucou", 3, group="doc7"),
        pair(None, "text one", 4),
        pair(None, "text two", 5),
    ]
    groups = [example["group"] for example in clean(rows).kept]
    assert groups[0] == groups[1] and len(set(groups)) == 5
    assert groups[3] == "doc7" and all(groups)


def test_changes_are_counted_by_example_and_references_are_repaired_too() -> None:
    rows = [
        pair("caf\u00c3\u00a9 one", "caf\u00c3\u00a9 un", 0),
        pair("two", "deux", 1, references=["<i>deux</i>  fois", "un"]),
        pair("three", "trois  ", 2),
    ]
    found = clean(rows)
    assert found.kept[0]["messages"][0]["content"] == "café one"
    assert found.kept[1]["references"] == ["deux fois", "un"]
    changed = found.counts.changed
    assert changed["mojibake"] == 1 and changed["whitespace"] == 1


MAIL = "Write to jean.dupont@example.org today."


def test_personal_data_is_redacted_and_counted_in_references_too() -> None:
    found = clean([pair(MAIL, "Bien sûr, demain.", references=[MAIL])])
    assert found.kept[0]["messages"][0]["content"] == "Write to [EMAIL] today."
    assert found.kept[0]["references"] == ["Write to [EMAIL] today."]
    assert found.counts.personal == {"email": 2}


def test_a_kind_that_drops_drops_the_example_and_names_the_kind() -> None:
    actions = preprocess_config().pii.actions | {"email": "drop"}
    found = clean(
        [pair(MAIL, "Bien sûr."), pair("good", "bon", 1)], pii={"actions": actions}
    )
    assert [e["id"] for e in found.kept] == ["id1"]
    assert [(r["reason"], r["value"]) for r in found.dropped] == [
        ("personal data", "email")
    ]


def test_a_flagged_kind_stays_and_is_listed_for_review() -> None:
    actions = preprocess_config().pii.actions | {"email": "flag"}
    found = clean([pair(MAIL, "Bien sûr, demain.")], pii={"actions": actions})
    assert found.kept[0]["messages"][0]["content"] == MAIL
    (line,) = found.counts.review
    assert (line["where"], line["id"], line["kind"]) == ("f:0", "id0", "email")


def test_a_readmitted_example_is_kept_by_every_rule() -> None:
    decided = ReviewDecisions({}, frozenset({"id0"}))
    rows = [pair("hello", "TODO", 0), pair("hello you", "TODO", 1)]
    found = clean_rows(rows, CONFIG, decided=decided)
    assert [e["id"] for e in found.kept] == ["id0"]
    assert [r["id"] for r in found.dropped] == ["id1"]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.text("ab \u00a0<>&;", max_size=6), st.text("ab ", max_size=9))
    )
)
def test_every_example_is_kept_or_rejected(texts: list[tuple[str, str]]) -> None:
    rows = [pair(user, answer, n) for n, (user, answer) in enumerate(texts)]
    found = clean_rows(rows, CONFIG)
    assert found.counts.rows == len(rows)
    assert len(found.kept) + len(found.dropped) == len(rows)
    assert found.reasons.total() == len(found.dropped)


TEXT = st.sampled_from(["ab", "<b>ab</b>", " ", "cd", "ab ab ab ab ab ab", "x" * 60])


@settings(max_examples=25)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=12), st.integers(1, 5))
def test_clean_text_is_unchanged(texts: list[tuple[str, str]], size: int) -> None:
    rows = [pair(user, answer, n) for n, (user, answer) in enumerate(texts)]
    found = clean_rows(rows, CONFIG, size)
    assert found.kept == clean_rows(rows, CONFIG, len(rows) or 1).kept
    again = clean_rows(found.kept, CONFIG, size)
    assert again.kept == found.kept and not again.dropped
