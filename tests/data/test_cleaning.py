"""Rules, duplicates, groups and the account of a cleaning run."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.config import PreprocessConfig
from graft.data.cleaning import Cleaning
from graft.data.columns import from_lines
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA

CONFIG = PreprocessConfig(
    repair_unicode=True,
    strip_html=True,
    min_chars=2,
    max_chars=50,
    max_length_ratio=4.0,
    drop_identical=True,
    drop_duplicates=True,
    thinking="keep",
)


def pair(user: str | None, answer: str, n: int = 0, **changes: Any) -> dict[str, Any]:
    asked = [] if user is None else [{"role": "user", "content": user}]
    return {
        "id": f"id{n}",
        "messages": [*asked, {"role": "assistant", "content": answer}],
        "references": [],
        "group": "",
        "stratum": "all",
        "split": None,
        "where": f"f:{n}",
    } | changes


def clean(
    lines: list[dict[str, Any]], size: int = 3, config: PreprocessConfig = CONFIG
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], Cleaning]:
    """Kept examples, rejects, and the run; batches of `size` rows."""
    run = Cleaning(config)
    batches = [
        from_lines(lines[at : at + size], EXAMPLE_SCHEMA)
        for at in range(0, len(lines), size)
    ]
    marked = list(run.first_pass(batches))
    kept = list(run.kept(run.second_pass(marked)))
    dropped = list(run.dropped(run.second_pass(marked)))
    assert all(table.schema == EXAMPLE_SCHEMA for table in kept)
    assert all(table.schema == REJECT_SCHEMA for table in dropped)
    return (
        [line for table in kept for line in table.to_pylist()],
        [line for table in dropped for line in table.to_pylist()],
        run,
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (pair("a", "bonjour"), "too short"),
        (pair("<br/>", "bonjour"), "too short"),
        (pair("hello", "x" * 51), "too long"),
        (pair("Same  text", "Same text"), "identical sides"),
        (pair("hello", "x " * 20), "length ratio"),
    ],
)
def test_what_cannot_teach_is_dropped_with_its_reason(
    line: dict[str, Any], reason: str
) -> None:
    kept, dropped, run = clean([line, pair("good", "bon", 1)])
    assert [example["id"] for example in kept] == ["id1"]
    assert [(r["where"], r["reason"]) for r in dropped] == [("f:0", reason)]
    assert dropped[0]["stage"] == "preprocess"
    assert dropped[0]["expected"] and dropped[0]["fix"] and dropped[0]["value"]
    assert run.reasons == {reason: 1}


def test_rules_that_are_off_drop_nothing() -> None:
    off = {"max_length_ratio": None, "drop_identical": False}
    config = CONFIG.model_copy(update=off)
    assert len(clean([pair("ab", "ab"), pair("ab", "c" * 40)], config=config)[0]) == 2


def test_an_answer_without_a_question_has_no_ratio() -> None:
    assert len(clean([pair(None, "c" * 40)])[0]) == 1


def test_the_first_of_equals_is_kept_across_batches_and_after_repair() -> None:
    lines = [pair("hello", f"le n{n}", n) for n in range(5)]
    lines.append(pair("  hello ", "<b>le</b> n1", 5))
    kept, dropped, _ = clean(lines, size=2)
    assert [example["id"] for example in kept] == [f"id{n}" for n in range(5)]
    assert [(r["where"], r["reason"]) for r in dropped] == [("f:5", "duplicate")]


def test_an_official_test_example_wins_over_its_equals_in_train() -> None:
    lines = [
        pair("hello", "salut", n, split=split)
        for n, split in enumerate(["train", None, "validation", "test", "test"])
    ]
    kept, dropped, _ = clean(lines, size=2)
    assert [example["id"] for example in kept] == ["id3"]
    assert {reject["where"] for reject in dropped} == {"f:0", "f:1", "f:2", "f:4"}


def test_kept_duplicates_get_ids_of_their_own() -> None:
    config = CONFIG.model_copy(update={"drop_duplicates": False})
    lines = [pair("hello", "salut", n, id="same") for n in range(3)]
    kept, _, _ = clean(lines, size=2, config=config)
    assert [example["id"] for example in kept] == ["same", "same-2", "same-3"]


def test_examples_that_ask_the_same_are_one_group_unless_the_source_says() -> None:
    lines = [
        pair("hello", "salut", 0),
        pair("hello ", "bonjour", 1),
        pair("other", "autre", 2),
        pair("hello", "coucou", 3, group="doc7"),
        pair(None, "text one", 4),
        pair(None, "text two", 5),
    ]
    groups = [example["group"] for example in clean(lines)[0]]
    assert groups[0] == groups[1] and len(set(groups)) == 5
    assert groups[3] == "doc7" and all(groups)


def test_changes_are_counted_by_example_and_references_are_repaired_too() -> None:
    lines = [
        pair("caf\u00c3\u00a9 one", "caf\u00c3\u00a9 un", 0),
        pair("two", "deux", 1, references=["<i>deux</i>  fois", "un"]),
        pair("three", "trois  ", 2),
    ]
    kept, _, run = clean(lines)
    assert kept[0]["messages"][0]["content"] == "café one"
    assert kept[1]["references"] == ["deux fois", "un"]
    assert run.changed["mojibake"] == 1 and run.changed["whitespace"] == 1


TEXT = st.sampled_from(["ab", "<b>ab</b>", " ", "cd", "ab ab ab ab ab ab", "x" * 60])


@given(st.lists(st.tuples(TEXT, TEXT), max_size=12), st.integers(1, 5))
def test_rows_in_are_kept_and_dropped_whatever_the_batches(
    texts: list[tuple[str, str]], size: int
) -> None:
    lines = [pair(user, answer, n) for n, (user, answer) in enumerate(texts)]
    kept, dropped, run = clean(lines, size)
    assert len(kept) + len(dropped) == run.rows_in == len(lines)
    whole, _, _ = clean(lines, len(lines) or 1)
    assert kept == whole
    again, nothing, _ = clean(kept, size)
    assert again == kept and not nothing
