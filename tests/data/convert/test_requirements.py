"""Columns, ranges and strata that a source's rows must have."""

from typing import Any

import pytest

from graft.data.convert.fields import Unfit
from graft.data.convert.requirements import check_row, check_stratum
from graft.records import Row


def row(**values: Any) -> Row:
    return Row(values, "f:1")


@pytest.mark.parametrize("nothing", [None, "", "  ", []])
def test_a_required_column_without_a_value_makes_its_row_unfit(nothing: Any) -> None:
    with pytest.raises(Unfit) as caught:
        check_row(row(licence=nothing), ["licence"], {})
    assert caught.value.reason == "missing field licence"
    assert caught.value.fix
    with pytest.raises(Unfit, match="the row has other"):
        check_row(row(other=1), ["licence"], {})


@pytest.mark.parametrize("filled", ["mit", 0, False, ["a"]])
def test_any_value_fills_a_required_column(filled: Any) -> None:
    check_row(row(meta={"licence": filled}), ["meta.licence"], {})


@pytest.mark.parametrize("number", [0.5, 1, "0.7", " 1e0 "])
def test_a_number_within_its_range_passes(number: Any) -> None:
    check_row(row(score=number), [], {"score": (0.5, 1.0)})


@pytest.mark.parametrize("number", [0.49, "2", -1])
def test_a_number_out_of_its_range_makes_its_row_unfit(number: Any) -> None:
    with pytest.raises(Unfit) as caught:
        check_row(row(score=number), [], {"score": (0.5, 1.0)})
    assert caught.value.reason == "score out of range"
    assert "from 0.5 up to 1 " in caught.value.expected


@pytest.mark.parametrize("value", ["high", True, float("nan"), [1]])
def test_a_value_that_is_not_a_number_is_out_of_any_range(value: Any) -> None:
    with pytest.raises(Unfit, match="no number in score"):
        check_row(row(score=value), [], {"score": (None, None)})


def test_a_range_may_be_open_and_ignores_empty_fields() -> None:
    check_row(row(score=1e300), [], {"score": (0.0, None)})
    check_row(row(score=-1e300), [], {"score": (None, 0.0)})
    check_row(row(score=None), [], {"score": (0.0, 1.0), "absent": (0.0, 1.0)})


def test_only_allowed_strata_pass() -> None:
    check_stratum("news", None)
    check_stratum("news", ["news", "law"])
    with pytest.raises(Unfit) as caught:
        check_stratum("spam", ["news", "law"])
    assert caught.value.expected == "one of news, law (data.strata)"
