import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_setup import LOAD, make_setup

from graft.planning.choice import find_fit, needed_gib
from graft.planning.memory import GIB, base_bytes, peak_memory

AUTO = {"gradient_checkpointing": "auto"}


@pytest.mark.parametrize(
    ("free_gib", "host_gib", "keep"),
    [
        (79.0, 64.0, False),
        (32.0, 64.0, "selective"),
        (14.0, 64.0, "swap"),  # 14 GiB of the machine's memory
        (14.0, 16.0, True),
        (9.5, 16.0, "offload"),
    ],
)
def test_auto_keeps_the_most_that_fits(
    free_gib: float, host_gib: float, keep: bool | str
) -> None:
    fit = find_fit(make_setup(train=AUTO), LOAD, free_gib, host_gib)
    assert fit and not fit.changes
    assert fit.setup.train.gradient_checkpointing == keep


def test_what_fits_as_it_is_asked_for_is_left_so() -> None:
    asked = make_setup(train={"gradient_checkpointing": True})
    fit = find_fit(asked, LOAD, 139.8)
    assert fit and fit.setup == asked and not fit.changes


def test_less_is_kept_before_the_micro_batch_is_halved() -> None:
    fit = find_fit(make_setup(), LOAD, 23.5)
    assert fit and str(fit) == "train.gradient_checkpointing=swap"
    fit = find_fit(make_setup(), LOAD, 35.0)
    assert fit and str(fit) == "train.gradient_checkpointing=selective"
    fit = find_fit(make_setup(train=AUTO), LOAD, 7.5)
    assert fit and fit.changes.keys() == {"micro_batch_size"}
    assert fit.load.tokens < LOAD.tokens


def test_what_cannot_fit_is_told() -> None:
    assert find_fit(make_setup(), LOAD, 4.0) is None


@given(
    st.floats(1, 200), st.sampled_from([False, "selective", True, "offload", "auto"])
)
def test_what_is_found_needs_no_more_than_there_is(
    free_gib: float, keep: bool | str
) -> None:
    fit = find_fit(make_setup(train={"gradient_checkpointing": keep}), LOAD, free_gib)
    if fit is not None:
        assert needed_gib(fit.setup, fit.load) <= free_gib
        assert fit.setup.train.gradient_checkpointing != "auto"


def test_a_base_that_is_dealt_out_must_be_loaded_whole_first() -> None:
    dealt = {"num_processes": 8, "shard_base": True, "micro_batch_size": 1}
    setup = make_setup(train={**dealt, "gradient_checkpointing": "offload"})
    assert needed_gib(setup, LOAD.part(1 / 64)) * GIB > base_bytes(setup)
    assert peak_memory(setup, LOAD.part(1 / 64)).peak < base_bytes(setup)
