"""Fields are inferred only where column names are unambiguous."""

import pytest

from graft.adding.columns import guess_fields, missing_fields, read_pairs
from graft.errors import ConfigError
from graft.tasks import TASKS

EN_FR = {"source": "en", "target": "fr"}


@pytest.mark.parametrize(
    ("task", "columns", "fields"),
    [
        ("translation", ["id", "English", "French"], ["English", "French"]),
        ("translation", ["en", "fr"], ["en", "fr"]),
        ("translation", ["source", "target", "en"], []),  # two for the source
        ("translation", ["de", "fr"], []),
        ("translation", ["a", "b"], []),
        ("completion", ["body"], ["body"]),
        ("completion", ["title", "text"], ["text"]),
        ("question_answering", ["question", "answer"], ["question", "answer"]),
        ("reasoning", ["messages"], ["messages"]),
        (
            "reasoning",
            ["instruction", "input", "output"],
            ["instruction", "input", "output"],
        ),
        ("instruction", ["instruction", "output"], ["instruction", "output"]),
        ("instruction", ["instruction", "prompt", "output"], []),
    ],
)
def test_names_determine_the_fields(
    task: str, columns: list[str], fields: list[str]
) -> None:
    found = guess_fields(TASKS[task], columns, EN_FR)
    assert list(found.values()) == fields
    if found:
        TASKS[task].check_fields(found)


def test_other_languages_have_other_names() -> None:
    languages = {"source": "de", "target": "en"}
    found = guess_fields(TASKS["translation"], ["en", "Deutsch"], languages)
    assert found == {"source": "Deutsch", "target": "en"}


def test_an_ambiguity_is_an_error_with_the_option_that_resolves_it() -> None:
    error = missing_fields(TASKS["translation"], ["a", "b"], True)
    assert "source=COLUMN target=COLUMN" in str(error) and "--columns" in str(error)


def test_an_option_that_is_not_a_pair_is_an_error() -> None:
    assert read_pairs("--fields", ["a=b=c"]) == {"a": "b=c"}
    with pytest.raises(ConfigError, match="--fields source"):
        read_pairs("--fields", ["source"])


def test_a_column_that_is_read_anyway_is_not_mapped() -> None:
    columns = ["messages", "tools", "images", "label"]
    assert guess_fields(TASKS["reasoning"], columns, {}) == {"turns": "messages"}
