"""Numbers on axes never overlap, however narrow the plot is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.pages.axis import Axis
from graft.pages.drawing import NARROWEST, ruler

WIDTHS = {"−": 10.1, "+": 10.1, ",": 3.9, ".": 3.9}
"""Widths of characters at 12 px in DejaVu Sans, a wide font; digits have 7.7 px."""
TEXT = re.compile(r'x="([\d.]+)%" y="[\d.-]+" text-anchor="(\w+)">([^<]+)<')
VALUES = st.one_of(
    st.lists(st.floats(-1e9, 1e9).filter(lambda x: not 0 < abs(x) < 1e-6), max_size=5),
    st.lists(st.integers(-400, 400).map(float), max_size=5),
    st.lists(st.floats(1e-3, 1e9), min_size=1, max_size=5),
)


def boxes(drawn: str, width: float) -> list[tuple[float, float]]:
    """Left and right end of each number, in pixels."""
    found = []
    for place, anchor, text in TEXT.findall(drawn):
        length = sum(WIDTHS.get(char, 7.7) for char in text)
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        left = float(place) * width / 100 - shift * length
        found.append((left, left + length))
    return sorted(found)


@given(VALUES, st.sampled_from(["linear", "log"]), st.booleans(), st.integers(0, 900))
def test_numbers_of_an_axis_never_overlap(values, scale, more, wider):
    axis = Axis.over(values, scale)
    for least in (128.0, NARROWEST):
        drawn = str(ruler(axis, 0, more=more, width=least))
        found = boxes(drawn, least + wider)
        assert len(found) >= 1
        for (_, right), (left, _) in zip(found, found[1:]):
            assert right < left


@given(VALUES)
def test_zero_has_its_number_on_every_linear_axis(values):
    zero = [
        t for _, _, t in TEXT.findall(ruler(Axis.over(values), 0)) if not t.strip("0.")
    ]
    assert len(zero) == 1


@pytest.mark.parametrize(
    ("values", "scale", "labels"),
    [
        ([100.0], "linear", ["0", "20", "40", "60", "80", "100"]),
        ([-20.0, 100.0], "linear", ["−20", "0", "20", "40", "60", "80", "100"]),
        ([-40_000.0, 100_000.0], "linear", ["−40,000", "0", "100,000"]),
        ([11_239.0, 71_683.0], "log", ["10,000", "20,000", "50,000", "100,000"]),
        ([3.0, 400.0], "log", ["2", "5", "10", "20", "50", "100", "200", "500"]),
    ],
)
def test_numbers_are_at_equal_distances_and_at_the_ends(values, scale, labels):
    shown = [text for _, _, text in TEXT.findall(ruler(Axis.over(values, scale), 0))]
    assert sorted(shown, key=labels.index) == labels


def test_the_last_number_shows_that_the_last_bar_includes_larger_values():
    assert ">5+</text>" in ruler(Axis.over([5.0]), 0, more=True)
