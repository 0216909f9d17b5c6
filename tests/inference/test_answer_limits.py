"""Reference answers that generation cannot return in full are found before it runs."""

import pytest
from cut_text import cut
from settings import GENERATION

from graft.errors import DataError
from graft.inference.answer_limits import check_answer_limits
from graft.inference.examples import HeldOutExample
from graft.records import Message


def example(*turns: str, where: str = "file:0") -> HeldOutExample:
    """A chat of user and assistant in turn; every character is a token, and a stop
    token ends the answer."""
    roles = ["user", "assistant"] * len(turns)
    answer = len(turns[-1]) + 1
    return HeldOutExample(
        id="0",
        where=where,
        group="0",
        stratum="all",
        messages=[
            Message(role=role, content=text)  # type: ignore[typeddict-item]
            for role, text in zip(roles, turns)
        ],
        references=[],
        input_ids=[0] * (3 + answer),
        loss_mask=[False] * 3 + [True] * answer,
        num_bytes=answer,
    )


def check(answers: list[str], stop: list[str], max_cut: float = 0) -> list[str]:
    examples = [
        example("?", answer, where=f"file:{number}")
        for number, answer in enumerate(answers)
    ]
    config = {"stop": stop, "max_cut_answers": max_cut, "max_new_tokens": 99}
    return check_answer_limits(examples, GENERATION.model_copy(update=config))


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
        check(["okay" if "n" not in stop else "fast", answer], stop)
    error = caught.value
    assert error.where == "generation.stop"
    assert "1 of 2 reference answers" in error.problem
    assert "file:1" in error.problem and "generation.stop to []" in error.fix


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
    assert not check([answer], stop)


def test_a_configured_share_of_cut_answers_is_allowed_with_a_warning():
    (warning,) = check(["a\nb", "c", "d\ne", "f"], ["\n"], max_cut=0.5)
    assert "2 of 4 reference answers" in warning and "file:0" in warning
    assert "'\\n' occurs" in warning
    with pytest.raises(DataError, match="2 of 4 reference answers"):
        check(["a\nb", "c", "d\ne", "f"], ["\n"], max_cut=0.4)


def test_only_the_last_answer_of_a_chat_is_checked():
    config = GENERATION.model_copy(update={"stop": ["\n"]})
    assert not check_answer_limits([example("?", "a\nb", "!", "c")], config)


def test_answers_longer_than_a_completion_are_counted_without_their_stop_token():
    config = GENERATION.model_copy(update={"max_new_tokens": 3})
    examples = [example("?", text) for text in ("abc", "abcd", "abcdef")]
    (warning,) = check_answer_limits(examples, config)
    assert "2 of 3 reference answers have more than 3 tokens (up to 6)" in warning


def test_a_text_without_a_question_may_be_longer_than_a_completion():
    passage = example("?", "a long passage")
    passage.messages.pop(0)
    config = GENERATION.model_copy(update={"max_new_tokens": 3})
    assert not check_answer_limits([passage], config)
