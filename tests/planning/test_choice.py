import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_setup import BATCH, make_setup

from graft.planning.choice import find_fit, needed_gib
from graft.planning.memory import GIB, base_bytes, peak_memory

AUTO = {"gradient_checkpointing": "auto"}


@pytest.mark.parametrize(
    ("free_gib", "host_gib", "keep"),
    [
        (79.0, 64.0, False),
        (32.0, 64.0, "selective"),
        (14.0, 64.0, "swap"),  # 14 GiB of host memory
        (14.0, 16.0, True),
        (9.5, 16.0, "offload"),
    ],
)
def test_auto_keeps_the_most_that_fits(
    free_gib: float, host_gib: float, keep: bool | str
) -> None:
    fit = find_fit(make_setup(train=AUTO), BATCH, free_gib, host_gib)
    assert fit and not fit.changes
    assert fit.setup.train.gradient_checkpointing == keep


def test_a_configuration_that_fits_is_not_changed() -> None:
    configured = make_setup(train={"gradient_checkpointing": True})
    fit = find_fit(configured, BATCH, 139.8)
    assert fit and fit.setup == configured and not fit.changes


def test_checkpointing_is_tried_before_the_micro_batch_is_halved() -> None:
    fit = find_fit(make_setup(), BATCH, 23.5)
    assert fit and str(fit) == "train.gradient_checkpointing=swap"
    fit = find_fit(make_setup(), BATCH, 35.0)
    assert fit and str(fit) == "train.gradient_checkpointing=selective"
    fit = find_fit(make_setup(train=AUTO), BATCH, 7.5)
    assert fit and fit.changes.keys() == {"micro_batch_size"}
    assert fit.batch.tokens < BATCH.tokens


def test_nothing_is_found_if_nothing_fits() -> None:
    assert find_fit(make_setup(), BATCH, 4.0) is None


@given(
    st.floats(1, 200), st.sampled_from([False, "selective", True, "offload", "auto"])
)
def test_a_fit_never_needs_more_than_is_free(free_gib: float, keep: bool | str) -> None:
    fit = find_fit(make_setup(train={"gradient_checkpointing": keep}), BATCH, free_gib)
    if fit is not None:
        assert needed_gib(fit.setup, fit.batch) <= free_gib
        assert fit.setup.train.gradient_checkpointing != "auto"


def test_a_sharded_base_is_loaded_completely_first() -> None:
    sharded = {"num_processes": 8, "shard_base": True, "micro_batch_size": 1}
    setup = make_setup(train={**sharded, "gradient_checkpointing": "offload"})
    assert needed_gib(setup, BATCH.part(1 / 64)) * GIB > base_bytes(setup)
    assert peak_memory(setup, BATCH.part(1 / 64)).peak < base_bytes(setup)
