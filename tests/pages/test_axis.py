"""Axes cover their values and have few, round ticks."""

import math

from hypothesis import given
from hypothesis import strategies as st

from graft.pages.axis import Axis

VALUES = st.lists(st.floats(-1e12, 1e12).filter(lambda x: not 0 < abs(x) < 1e-9))
POSITIVE = st.lists(st.floats(1e-300, 1e300))


@given(VALUES)
def test_an_axis_covers_zero_and_every_value_with_few_round_ticks(values):
    axis = Axis.over([*values, math.inf, math.nan])
    slack = 1e-6 * (axis.high - axis.low)
    for value in (0.0, *values):
        assert axis.low - slack <= value <= axis.high + slack
        assert 0 <= axis.at(value) <= 100
    assert 2 <= len(axis.ticks) <= 11
    assert 0.0 in axis.ticks and f"{axis.step:e}"[0] in "125"


@given(POSITIVE)
def test_a_logarithmic_axis_covers_every_positive_value_with_few_round_ticks(values):
    axis = Axis.over([*values, 0.0, -1.0, math.inf, math.nan], "log")
    for value in values:
        assert axis.low <= value * (1 + 1e-6) and value <= axis.high * (1 + 1e-6)
    assert 2 <= len(axis.ticks) <= 10
    assert all(f"{value:e}"[0] in "125" for value in axis.ticks)


def test_equal_factors_are_equally_far_on_a_logarithmic_axis():
    axis = Axis.over([10.0, 1000.0], "log")
    assert [round(axis.at(value)) for value in (10, 100, 1000)] == [0, 50, 100]
    assert axis.at(0.0) == 0 and axis.at(1e9) == 100
    assert [axis.label(value) for value in (0.05, 2.0, 20_000.0)] == [
        "0.05",
        "2",
        "20,000",
    ]
