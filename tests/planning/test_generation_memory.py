"""Slots and unpacked weights that fit the memory."""

from hypothesis import given
from hypothesis import strategies as st

from graft.planning.generation_memory import (
    HEADROOM,
    GenerationShape,
    plan_generation,
)

SHAPE = GenerationShape(dense=1000, slot_token=1, token=1, logits=10)
WORK = {"num_slots": 64, "length": 90, "tokens_at_once": 200}


def plan(free: int, **changes):
    return plan_generation(SHAPE, free=free, **(WORK | changes))


def test_with_enough_memory_all_slots_fit_beside_unpacked_weights():
    found = plan(20_000)
    assert (found.is_dense, found.num_slots) == (True, 64)
    assert found.bytes == 1000 + 64 * (90 + 10) + 200


def test_weights_stay_packed_where_unpacked_ones_would_take_most_slots():
    assert plan(1900) == plan(1900, weights="packed")
    assert not plan(1900).is_dense and plan(1900).num_slots == 16
    assert plan(1900, weights="dense").num_slots == 6


def test_a_single_slot_is_tried_though_it_does_not_fit():
    for weights in ("auto", "packed", "dense"):
        assert plan(0, weights=weights).num_slots == 1


@given(
    free=st.integers(0, 10**6),
    num_slots=st.integers(1, 500),
    length=st.integers(1, 500),
    dense=st.integers(0, 10**5),
)
def test_what_is_planned_fits_if_more_than_one_slot_is(free, num_slots, length, dense):
    shape = GenerationShape(dense=dense, slot_token=3, token=2, logits=50)
    found = plan_generation(
        shape, free=free, num_slots=num_slots, length=length, tokens_at_once=100
    )
    assert 1 <= found.num_slots <= num_slots
    if found.num_slots > 1:
        assert found.bytes <= HEADROOM * free
