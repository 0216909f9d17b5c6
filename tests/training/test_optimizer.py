import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.training.optimizer import learning_rate

SHAPES = st.sampled_from(["cosine", "linear", "constant"])


@given(st.integers(1, 500), st.floats(0, 1), SHAPES)
def test_a_rate_is_positive_and_never_above_the_peak(
    num_steps: int, warmup: float, shape: str
) -> None:
    rates = [learning_rate(s, num_steps, 3e-4, warmup, shape) for s in range(num_steps)]
    assert all(0 < rate <= 3e-4 for rate in rates)


@given(st.integers(2, 500), st.floats(0, 0.9), SHAPES)
def test_the_rate_rises_only_in_the_warmup(
    num_steps: int, warmup: float, shape: str
) -> None:
    rates = [learning_rate(s, num_steps, 1.0, warmup, shape) for s in range(num_steps)]
    top = rates.index(max(rates))
    assert top <= warmup * num_steps + 1
    assert rates[: top + 1] == sorted(set(rates[: top + 1]))
    assert rates[top:] == sorted(rates[top:], reverse=True)


@pytest.mark.parametrize("shape", ["cosine", "linear"])
def test_the_last_step_of_a_long_training_has_a_rate_near_zero(shape: str) -> None:
    assert learning_rate(999, 1000, 1.0, 0.03, shape) < 0.002


def test_a_constant_rate_stays_at_its_peak() -> None:
    assert learning_rate(999, 1000, 1.0, 0.03, "constant") == 1.0
