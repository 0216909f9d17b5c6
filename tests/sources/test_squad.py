"""SQuAD's nested JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from source_rows import read_rows

from graft.errors import DataError
from graft.records import Reject, Row


def read(make_data: Any, folder: Path, document: Any) -> list[Row | Reject]:
    (folder / "qa.json").write_text(json.dumps(document))
    fields = {"question": "question", "answers": "answers"}
    data = make_data(format="squad", files={"train": "qa.json"}, fields=fields)
    return list(read_rows(data))


def test_each_question_is_a_row_with_its_title_and_context(make_data, tmp_path) -> None:
    questions = [
        {
            "id": "q1",
            "question": "Who?",
            "answers": [{"text": "Ann", "answer_start": 0}, {"text": "ann"}],
        },
        {"id": "q2", "question": "When?", "answers": [], "is_impossible": True},
    ]
    paragraph = {"context": "Ann sings.", "qas": questions}
    document = {"version": "2", "data": [{"title": "Songs", "paragraphs": [paragraph]}]}
    first, second = read(make_data, tmp_path, document)
    assert isinstance(first, Row) and isinstance(second, Row)
    assert first.values["answers"] == ["Ann", "ann"]
    assert (first.values["title"], first.values["context"]) == ("Songs", "Ann sings.")
    assert (first.where, first.split) == (f"{'qa.json'}:1", "train")
    assert second.values["answers"] == [] and second.values["is_impossible"]


@pytest.mark.parametrize(
    "document",
    [
        {"data": [3]},
        {"data": [{"paragraphs": "x"}]},
        {"data": [{"paragraphs": [{"qas": [None]}]}]},
    ],
)
def test_a_broken_entry_is_one_reject(make_data, tmp_path, document) -> None:
    (found,) = read(make_data, tmp_path, document)
    assert isinstance(found, Reject) and found.reason == "broken SQuAD"


def test_another_json_is_refused_with_the_right_format(make_data, tmp_path) -> None:
    with pytest.raises(DataError, match="no list `data`(.|\n)*jsonl"):
        read(make_data, tmp_path, [{"question": "a"}])
