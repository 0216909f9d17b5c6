"""Bodies of requests: types are never converted."""

import json

import pytest
from pydantic import ValidationError

from graft.serving.schemas import CompletionRequest

PROMPT = {"model": "translator", "prompt": "The cat sleeps."}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("presence_penalty", False),
        ("frequency_penalty", False),
        ("best_of", True),
        ("echo", 0),
        ("n", True),
        ("temperature", True),
        ("stream", 1),
        ("seed", 1.0),
    ],
)
def test_a_value_that_only_equals_an_accepted_one_is_refused(field, value):
    with pytest.raises(ValidationError):
        CompletionRequest.model_validate_json(json.dumps({**PROMPT, field: value}))


def test_values_that_change_nothing_are_accepted():
    fixed = {"presence_penalty": 0, "frequency_penalty": 0.0, "best_of": 1}
    body = {**PROMPT, **fixed, "echo": False, "suffix": ""}
    assert CompletionRequest.model_validate_json(json.dumps(body)).best_of == 1
