import math

import pytest
import torch

from graft.errors import ModelError
from graft.exporting.parity import Parity, check_parity, compare, tolerance

ONE = [
    torch.tensor([[0.0, 2.0, 4.0]]),
    torch.tensor([[1.0, 3.0, 5.0], [6.0, 0.0, 3.0]]),
]


def moved(difference: float, spread: float = 1.0) -> Parity:
    return Parity(difference, spread, agreement=1.0, num_tokens=1)


def test_all_tokens_have_equal_weight() -> None:
    other = [ONE[0] + 3, ONE[1].flip(-1)]
    found = compare(ONE, other)
    assert found.difference == pytest.approx((3 + 8 / 3 + 2) / 3)
    assert found.spread == pytest.approx((2 + 2 + 3) / 3)
    assert found.agreement == pytest.approx(1 / 3)
    assert found.num_tokens == 3


def test_nan_logits_have_an_infinite_difference() -> None:
    found = compare(ONE, [logits * math.nan for logits in ONE])
    assert found.difference == found.relative == math.inf
    with pytest.raises(ModelError, match="differs from the base with its adapter"):
        check_parity(found, moved(1), 0.1, "float32", "here")


def test_tolerance_is_smaller_for_a_finer_dtype_and_fewer_layers() -> None:
    kinds = ("float32", "float16", "bfloat16")
    allowed = [tolerance(dtype, 32) for dtype in kinds]
    assert allowed == sorted(allowed) and allowed[-1] < 0.1
    assert tolerance("bfloat16", 128) == pytest.approx(2 * allowed[-1])


def test_an_adapter_that_changes_nothing_may_be_merged() -> None:
    check_parity(moved(0), moved(0), 0.1, "bfloat16", "here")


def test_a_merge_that_lost_the_adapter_is_refused_even_within_tolerance() -> None:
    with pytest.raises(ModelError, match="lost in rounding weights to bfloat16"):
        check_parity(moved(0.02), moved(0.02), 0.1, "bfloat16", "here")
