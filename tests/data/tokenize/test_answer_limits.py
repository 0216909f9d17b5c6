"""Answers that generation cannot return in full are counted before training."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from letter_template import Letters, settings, table
from settings import TASK

from graft.config import TaskConfig
from graft.data.tokenize.answer_limits import AnswerLimitCheck
from graft.data.tokenize.sequences import to_sequences
from graft.errors import DataError
from graft.inference.generation import cut
from graft.records import EXAMPLE_SCHEMA


def task(stop: list[str], max_new_tokens: int = 8) -> TaskConfig:
    return TASK.model_copy(update={"stop": stop, "max_new_tokens": max_new_tokens})


def check(answers: list[str], stop: list[str], max_cut: float = 0) -> AnswerLimitCheck:
    limits = AnswerLimitCheck(task(stop), max_cut, len(answers))
    for number in range(0, len(answers), 2):
        pairs: list[Any] = [("?", text) for text in answers[number : number + 2]]
        for _ in limits.check_stop_texts([table(pairs)]):
            pass
    return limits


@pytest.mark.parametrize(
    ("answer", "stop"),
    [
        ("two\nlines", ["\n"]),
        ("\nbehind the stop text", ["\n"]),
        ("###", ["###"]),
        ("### 5", ["\n", "###"]),
        ("so\n#### 5", ["##"]),
        ("one", ["n"]),
        ("第一。第二", ["。"]),
    ],
)
def test_an_answer_that_contains_a_stop_text_is_an_error(answer, stop):
    assert cut(answer, stop) != answer.strip()
    with pytest.raises(DataError) as caught:
        check(["okay", answer], stop)
    error = caught.value
    assert error.where == "task.stop" and "1 of the first 2 answers" in error.problem
    assert "file:1" in error.problem and "task.stop to []" in error.fix


@pytest.mark.parametrize(
    ("answer", "stop"),
    [
        ("one line\n", ["\n"]),
        ("two\nlines", []),
        ("two\nlines", ["\n\n"]),
        ("# 5", ["##"]),
    ],
)
def test_an_answer_that_is_not_cut_passes(answer, stop):
    assert cut(answer, stop) == answer.strip()
    assert not check([answer], stop).warnings()


def test_a_configured_share_of_cut_answers_is_allowed_with_a_warning():
    limits = check(["a\nb", "c", "d\ne", "f"], ["\n"], max_cut=0.5)
    warning = " ".join(limits.warnings())
    assert "2 of 4 answers" in warning and "file:0" in warning
    assert limits.to_report()["cut_answers"] == ["'\\n': 2"]
    with pytest.raises(DataError, match="of the first 4 answers"):
        check(["a\nb", "c", "d\ne", "f"], ["\n"], max_cut=0.4)


def test_only_the_last_answer_of_a_chat_is_checked():
    turns = ["?", "a\nb", "!", "c"]
    roles = ["user", "assistant"] * 2
    row = table([("?", "c")]).to_pylist()[0] | {
        "messages": [
            {"role": r, "content": t} for r, t in zip(roles, turns, strict=True)
        ]
    }
    limits = AnswerLimitCheck(task(["\n"]), 0, 1)
    examples = pa.Table.from_pylist([row], EXAMPLE_SCHEMA)
    assert len([*limits.check_stop_texts([examples])]) == 1


def test_answers_longer_than_a_completion_are_counted_without_their_stop_token():
    limits = AnswerLimitCheck(task([], max_new_tokens=3), 0, 3)
    outcome = to_sequences(
        table([("?", "abc"), ("?", "abcd"), ("?", "abcdef")]), Letters(), settings(30)
    )
    assert np.array_equal(outcome.num_answer_tokens, [3, 4, 6])
    assert [*limits.count_long([outcome])] == [outcome]
    warning = " ".join(limits.warnings())
    assert "2 of 3 answers have more than 3 tokens (up to 6)" in warning
