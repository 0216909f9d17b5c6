"""Claims about the rows in this folder: their shapes are the public data sets'."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

DIR = Path(__file__).parent
COLUMNS = {
    "r1_distill_sft": "id reannotated_assistant_content source reannotated_messages "
    "messages source_dataset verified quality_metrics",
    "squad_v1": "id title context question answers",
    "squad_v2": "id title context question answers",
    "gsm8k": "question answer",
    "wmt14": "translation",
    "sharegpt": "id conversations",
    "alpaca": "instruction input output",
    "openai_parts": "messages",
}


def rows(name: str) -> list[dict[str, Any]]:
    lines = (DIR / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_row_has_the_columns_of_its_data_set(name: str) -> None:
    assert len(rows(name)) >= 5
    assert all(list(row) == COLUMNS[name].split() for row in rows(name))


def test_the_parquet_file_has_the_same_rows_and_columns_of_the_type_null() -> None:
    table = pq.read_table(DIR / "r1_distill_sft.parquet")
    assert table.to_pylist() == rows("r1_distill_sft")
    assert table.schema.field("verified").type == pa.null()
    turn = table.schema.field("messages").type.value_type
    assert [field.name for field in turn] == ["content", "role"]


@pytest.mark.parametrize("name", ["squad_v1", "squad_v2"])
def test_answers_stand_where_they_say(name: str) -> None:
    for row in rows(name):
        answers = row["answers"]
        for text, start in zip(answers["text"], answers["answer_start"], strict=True):
            assert row["context"][start:].startswith(text)
    unanswered = sum(not row["answers"]["text"] for row in rows(name))
    assert unanswered == (2 if name == "squad_v2" else 0)


def test_the_answer_of_the_chat_is_the_one_that_was_thought_through() -> None:
    for row in rows("r1_distill_sft"):
        assert row["reannotated_messages"][-1]["content"] == (
            row["reannotated_assistant_content"]
        )
        assert row["messages"][0] == row["reannotated_messages"][0]
