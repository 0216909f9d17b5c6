import json
from pathlib import Path

from graft.serving.demo.questions import CHAT_FORM, Form
from graft.serving.demo.samples import MOST_EXAMPLES, read_samples, to_examples

TRANSLATION = Form("translation", ("source",))
QUESTIONS = Form("question_answering", ("question", "context"), frozenset(["context"]))


def samples(path: Path, *rows: tuple[str, str]) -> Path:
    found = [{"stratum": s, "prompt": p, "history": []} for s, p in rows]
    path.write_text(json.dumps(found))
    return path


def test_each_stratum_comes_before_a_second_one_of_another(tmp_path: Path) -> None:
    path = samples(tmp_path / "s.json", ("a", "1"), ("a", "2"), ("b", "3"))
    assert read_samples(path) == ["1", "3", "2"]


def test_without_samples_the_task_s_own_example_is_shown(tmp_path: Path) -> None:
    assert read_samples(tmp_path / "none.json") == []
    (tmp_path / "broken.json").write_text('{"a": 1}')
    assert read_samples(tmp_path / "broken.json") == []
    assert to_examples(TRANSLATION, []) == [["The cat sleeps."]]
    assert to_examples(QUESTIONS, []) == [["What is red?", "The house is red."]]
    assert not to_examples(CHAT_FORM, [])


def test_a_sample_fills_the_field_that_makes_its_prompt() -> None:
    assert to_examples(TRANSLATION, ["Hello.", "Hello."]) == [["Hello."]]
    assert to_examples(QUESTIONS, ["Who?"]) == [["Who?", ""]]
    assert to_examples(CHAT_FORM, ["Hi"]) == [["Hi"]]


def test_few_and_short_samples_are_shown(tmp_path: Path) -> None:
    rows = [("a", str(number)) for number in range(20)]
    path = samples(tmp_path / "s.json", ("a", "long " * 50), *rows)
    assert to_examples(TRANSLATION, read_samples(path))[0] == ["0"]
    assert len(to_examples(TRANSLATION, read_samples(path))) == MOST_EXAMPLES
