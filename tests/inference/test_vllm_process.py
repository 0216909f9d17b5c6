"""Answers that another process leaves in files."""

from pathlib import Path

import pytest

from graft.errors import ModelError
from graft.inference.agreement import check_agreement
from graft.inference.vllm_process import Answer, read_answers
from graft.io import write_json_lines


def write(path: Path, keys: list[str]) -> Path:
    rows = [Answer(key, [1, 2], "stop", 0.5, 0.1)._asdict() for key in keys]
    write_json_lines(path, rows)
    return path


def test_answers_have_the_order_of_their_requests(tmp_path: Path) -> None:
    found = read_answers(write(tmp_path / "a", ["b", "a"]), ["a", "b"])
    assert [answer.key for answer in found] == ["a", "b"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["a"], "1 of 2 requests are not answered, such as b"),
        (["a", "b", "b"], "1 of 2 requests are answered more than once, such as b"),
        (["a", "b", "c"], "answered, but not asked for, such as c"),
    ],
)
def test_each_request_has_exactly_one_answer(
    tmp_path: Path, keys: list[str], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        read_answers(write(tmp_path / "a", keys), ["a", "b"])


def test_a_line_that_is_no_answer_is_named(tmp_path: Path) -> None:
    write_json_lines(tmp_path / "a", [{"key": "a"}])
    with pytest.raises(ModelError, match="a:1: not an answer"):
        read_answers(tmp_path / "a", ["a"])


def test_answers_that_agree_enough_pass_and_others_are_shown() -> None:
    ours, theirs = [[1, 2, 3], [4, 5]], [[1, 2, 3], [4, 6, 7]]
    names = ["one", "two"]
    assert check_agreement("base", ours, theirs, names, 0.5) == 0.5
    with pytest.raises(ModelError) as caught:
        check_agreement("tuned", ours, theirs, names, 0.6)
    shown = str(caught.value)
    assert "1 of 2 greedy answers of the tuned model (50%)" in shown
    assert "from token 1: prompt 'two', graft [5], vLLM [6, 7]" in shown
    assert "vllm_min_agreement" in shown


def test_an_answer_that_only_begins_alike_differs() -> None:
    with pytest.raises(ModelError, match=r"graft \[\], vLLM \[2\]"):
        check_agreement("base", [[1]], [[1, 2]], ["one"], 1.0)
