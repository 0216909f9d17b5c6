from hypothesis import given
from hypothesis import strategies as st

from graft.training.failures import has_diverged


def curve(losses: list[float]) -> list[dict[str, float]]:
    """Logged losses, with a validation after each."""
    lines = [[{"train/loss": loss}, {"validation/loss": loss}] for loss in losses]
    return [line for both in lines for line in both]


def test_a_loss_that_stays_high_is_divergence() -> None:
    assert has_diverged(curve([2.0] * 20 + [9.0, 8.0, 9.5]), 3.0)


def test_one_hard_batch_is_not_divergence() -> None:
    assert not has_diverged(curve([2.0] * 20 + [2.0, 9.0, 2.0]), 3.0)


def test_small_losses_may_triple() -> None:
    assert not has_diverged(curve([0.1] * 20 + [0.5, 0.6, 0.9]), 3.0)


@given(st.lists(st.floats(0, 20), max_size=7))
def test_a_short_history_is_never_divergence(losses: list[float]) -> None:
    assert not has_diverged(curve(losses), 1.5)


@given(st.lists(st.floats(0.1, 10), min_size=8, max_size=60))
def test_a_falling_loss_is_never_divergence(losses: list[float]) -> None:
    assert not has_diverged(curve(sorted(losses, reverse=True)), 1.0)
