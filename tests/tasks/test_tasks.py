"""The contract that every task satisfies."""

from collections.abc import Iterator
from typing import Any

import pytest

from graft.data.convert.fields import read_fields
from graft.errors import ConfigError
from graft.metrics import METRICS
from graft.records import Row
from graft.tasks import TASKS, Task, get_task


@pytest.fixture(params=list(TASKS))
def task(request: pytest.FixtureRequest) -> Task:
    return get_task(request.param)


def test_a_task_is_found_by_its_name(task: Task) -> None:
    assert TASKS[task.name] is task


def test_the_demo_row_has_the_fields_and_no_other(task: Task) -> None:
    assert set(task.demo_row) <= set(task.fields)
    assert any(set(form) <= set(task.demo_row) for form in task.field_sets)
    values = read_fields(
        Row(dict(task.demo_row), "demo:1"),
        {field: field for field in task.demo_row},
        task.fields,
    )
    assert values == task.demo_row
    task.check_fields({field: "column" for field in task.fields})


def test_the_conversation_ends_with_an_answer_and_repeats(task: Task) -> None:
    messages, references = task.to_example(task.demo_row)
    assert messages[-1]["role"] == "assistant"
    assert all(
        message["role"] in ("system", "user", "assistant") and message["content"]
        for message in messages
    )
    assert all(isinstance(text, str) and text for text in references)
    assert task.to_example(dict(task.demo_row)) == (messages, references)


def texts(value: Any) -> Iterator[str]:
    """All texts in a row's values; of a turn, its content."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield value["content"]
    else:
        for item in value:
            yield from texts(item)


def test_every_field_is_part_of_the_conversation(task: Task) -> None:
    messages, references = task.to_example(task.demo_row)
    conversation = " ".join(
        [*(message["content"] for message in messages), *references]
    )
    assert all(text in conversation for text in texts(list(task.demo_row.values())))


def test_the_metrics_exist(task: Task) -> None:
    assert task.metrics and set(task.metrics) <= set(METRICS)


def test_an_unknown_task_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="translatoin") as caught:
        get_task("translatoin")
    assert "translation" in caught.value.expected


def test_a_missing_or_misspelt_field_is_a_config_error(task: Task) -> None:
    first, *others = task.field_sets[0]
    mapping = dict.fromkeys([first, *others], "column")
    with pytest.raises(ConfigError, match=f"did you mean {first}"):
        task.check_fields(mapping | {first + "z": "column"})
    del mapping[first]
    with pytest.raises(ConfigError, match="needs "):
        task.check_fields(mapping)


def test_the_gold_answer_is_not_a_further_reference() -> None:
    fields = {
        "instruction": "Boil.",
        "steps": ["Wait."],
        "references": ["Wait.", "So."],
    }
    assert get_task("instruction").to_example(fields)[1] == ["So."]
