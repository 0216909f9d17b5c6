"""Tool calls are equal if tools and arguments are, whatever their notation."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.metrics import METRICS, Segments, resample
from graft.metrics.calls import find_calls, reference_calls
from graft.metrics.final_answers import has_format, is_correct
from graft.tasks.tools import to_calls as to_reference

WEATHER = {"name": "weather", "arguments": {"city": "Zürich", "days": 3}}
TIME = {"name": "time", "arguments": {}}
GOLD = to_reference([{"id": "call_1", **WEATHER}])
BOTH = to_reference([WEATHER, TIME])
PLAIN = json.dumps(WEATHER)


@pytest.mark.parametrize(
    "completion",
    [
        GOLD,
        PLAIN,
        json.dumps([WEATHER], indent=2, ensure_ascii=False),
        '{"arguments": {"days": 3.0, "city": "Zürich"}, "name": "weather"}',
        f"<think>\n{json.dumps(TIME)}?\n</think>\n<tool_call>\n{PLAIN}\n</tool_call>",
        f"I look it up [at once]. {PLAIN}",
        json.dumps({"name": "weather", "parameters": WEATHER["arguments"]}),
        json.dumps(
            {"type": "function", "function": {**WEATHER, "arguments": PLAIN}}
        ).replace(json.dumps(PLAIN), json.dumps(json.dumps(WEATHER["arguments"]))),
    ],
)
def test_an_equal_call_is_correct_in_any_format(value, completion):
    assert (
        value("final_answer", completion, GOLD)
        == value("tool_calls", completion, GOLD)
        == 100
    )
    assert has_format(completion, GOLD)


@pytest.mark.parametrize(
    "completion",
    [
        "",
        "weather in Zürich for 3 days",
        PLAIN[:-1],
        BOTH,
        "[]",
        PLAIN.replace("weather", "Weather"),
        PLAIN.replace("3", "4"),
        PLAIN.replace("3", '"3"'),
        PLAIN.replace("3", "true"),
        json.dumps({"name": "weather", "arguments": {"city": "Zürich"}}),
        f"<think>{PLAIN}</think> It rains.",
        f"{PLAIN}\n{PLAIN}",
        json.dumps({"wrapped": WEATHER}),
    ],
)
def test_other_additional_or_missing_calls_are_wrong(value, completion):
    assert (
        value("final_answer", completion, GOLD)
        == value("tool_calls", completion, GOLD)
        == 0
    )


def test_the_order_of_calls_does_not_matter(value):
    completion = (
        f"<tool_call>{json.dumps(TIME)}</tool_call><tool_call>{PLAIN}</tool_call>"
    )
    assert value("tool_calls", completion, BOTH) == 100
    assert value("tool_calls", PLAIN, BOTH) == 0
    assert value("tool_calls", completion, GOLD, BOTH) == 100


def test_only_examples_that_call_tools_are_counted():
    segments = Segments(["It rains.", PLAIN], [["It rains."], [GOLD]], ["en", "en"])
    found = METRICS["tool_calls"].score(segments, resample(2, 100, 0))
    assert found.value == 100
    assert (
        METRICS["tool_calls"].unsuitable([["It rains."]]) == "no reference calls a tool"
    )
    assert METRICS["tool_calls"].unsuitable(segments.references) == ""


@pytest.mark.parametrize("text", ["5", "[1, 2]", "{}", "[]", '[{"name": "a"}]', "[a]"])
def test_json_without_a_call_is_not_a_call(text):
    assert reference_calls(text) == [] == find_calls(text)
    assert is_correct(text, text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(*2 * [st.dictionaries(st.text(max_size=3), JSON, max_size=3)], st.integers(0, 4))
def test_calls_are_equal_exactly_if_their_json_is(one, other, indent):
    def call(arguments):
        return [{"name": "run", "arguments": arguments}]

    gold = to_reference(call(one))
    for arguments in (one, other):
        completion = json.dumps(call(dict(reversed(arguments.items()))), indent=indent)
        same = json.dumps(arguments, sort_keys=True) == json.dumps(one, sort_keys=True)
        assert is_correct(completion, gold) is same


@given(st.text(alphabet='[]{}",:1a \\n', max_size=60))
def test_any_text_can_be_searched_for_calls(text):
    assert find_calls(text) == []
