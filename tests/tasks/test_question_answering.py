"""Answers in every known format are read; no answer is invented."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_rows import read_rows

from graft.data.convert.examples import to_example
from graft.data.convert.fields import Unfit
from graft.records import UNANSWERABLE, Reject, Row
from graft.tasks import get_task
from graft.tasks.question_answering import to_answers

FIELDS = {"question": "question", "answers": "answers"}


def answers_of(data: Any, row: Row) -> list[str] | str:
    """All answers of the row's example, or the reason for its rejection."""
    found = to_example(row, data, get_task("question_answering"))
    if isinstance(found, Reject):
        return found.reason
    return [found["messages"][-1]["content"], *found["references"]]


@pytest.mark.parametrize(
    "value",
    [
        "red",
        ["red"],
        ["red", "red"],
        {"text": ["red"], "answer_start": [3]},
        {"text": "red"},
        [{"text": "red", "answer_start": 3}],
    ],
)
@pytest.mark.parametrize("marked", [{}, {"is_impossible": False}])
def test_unambiguous_answers_are_read(make_data, value, marked) -> None:
    row = Row({"question": "Which?", "answers": value} | marked, "f:1")
    assert answers_of(make_data(fields=FIELDS), row) == ["red"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "no answers"),
        ({"answer": ["red"]}, "no answers"),
        ({"answers": None}, "answers without text"),
        ({"answers": ""}, "empty answer"),
        ({"answers": [""]}, "empty answer"),
        ({"answers": [" ", "red"]}, "empty answer"),
        ({"answers": [None]}, "answers without text"),
        ({"answers": [{"answer_text": "red"}]}, "answers without text"),
        ({"answers": {"txt": ["red"]}}, "answers without text"),
        ({"answers": {"text": None}}, "answers without text"),
        ({"answers": 5}, "answers without text"),
        ({"answers": "['red']"}, "a list written as text"),
        ({"answers": "[]"}, "a list written as text"),
        ({"answers": "{'text': array(['red'])}"}, "a list written as text"),
        ({"answers": [], "is_impossible": False}, "no answers to a possible question"),
        (
            {"answers": ["red"], "is_impossible": True},
            "answers to an impossible question",
        ),
        ({"answers": ["red"], "is_impossible": "perhaps"}, "wrong type in is_imposs"),
    ],
)
def test_ambiguous_answers_are_rejects(make_data, values, reason) -> None:
    row = Row({"question": "Which?"} | values, "f:1")
    found = answers_of(make_data(fields=FIELDS), row)
    assert isinstance(found, str) and found.startswith(reason)


@pytest.mark.parametrize(
    "values",
    [
        {"answers": [], "is_impossible": True},
        {"is_impossible": True},
        {"answers": "", "is_impossible": "true"},
        {"answers": None, "is_impossible": 1},
        {"answers": {"text": [], "answer_start": []}},
        {"answers": []},
    ],
)
def test_a_question_is_unanswerable_if_the_row_marks_it_so(make_data, values) -> None:
    row = Row({"question": "Which?"} | values, "f:1")
    assert answers_of(make_data(fields=FIELDS), row) == [UNANSWERABLE]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["text", "answer"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(JSON, JSON)
def test_unanswerable_is_never_guessed(value: Any, marked: Any) -> None:
    try:
        found = to_answers(value, marked)
    except Unfit:
        return
    empty_list = value == [] or (isinstance(value, dict) and value.get("text") == [])
    stated = marked in (True, "1") and value in (None, "")
    assert (found == [UNANSWERABLE]) == (empty_list or stated)
    assert all(text.strip() for text in found)


SQUAD = {
    "nothing": ({}, "no answers"),
    "null": ({"answers": None}, "answers without text"),
    "empty": ({"answers": []}, "no answers to a possible question"),
    "texts": ({"answers": ["red"], "is_impossible": False}, ["red"]),
    "columns": ({"answers": {"text": ["red"]}}, ["red"]),
    "official": ({"answers": [{"text": "red"}]}, ["red"]),
    "other key": ({"answers": [{"answer_text": "red"}]}, "answers without text"),
    "both": (
        {"answers": [{"text": "red"}], "is_impossible": True},
        "answers to an impossible question",
    ),
    "impossible": (
        {"answers": [], "is_impossible": True, "plausible_answers": [{"text": "red"}]},
        [UNANSWERABLE],
    ),
}


@pytest.mark.parametrize("kind", SQUAD)
def test_squads_json_follows_the_same_rules(make_data, tmp_path: Path, kind) -> None:
    entry, expected = SQUAD[kind]
    question = {"id": "1", "question": "Which?"} | entry
    document = {"data": [{"paragraphs": [{"context": "Red.", "qas": [question]}]}]}
    (tmp_path / "qa.json").write_text(json.dumps(document))
    data = make_data(format="squad", files={"all": "qa.json"}, fields=FIELDS)
    (row,) = read_rows(data)
    assert isinstance(row, Row) and answers_of(data, row) == expected
