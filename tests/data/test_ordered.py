import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graft.data.ordered import distinct


@given(st.lists(st.integers(-5, 5)))
def test_each_value_occurs_once_and_in_order(values: list[int]) -> None:
    found = distinct(np.array(values, np.int64))
    assert found.tolist() == sorted(set(values))
