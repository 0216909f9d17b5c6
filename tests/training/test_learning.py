import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.errors import ModelError
from graft.training.checkpoints import Progress
from graft.training.learning import loss_trend, require_learning


def progress(losses: list[float], initial: float | None, best: float) -> Progress:
    history = [{"step": n, "train/loss": loss} for n, loss in enumerate(losses)]
    return Progress(len(losses), 0, 0, best, 0, history, initial)


FALLING, RISING = [3.4, 3.0, 2.6, 2.2, 1.8], [3.4, 3.5, 5.0, 6.1, 6.2, 6.2]


def test_losses_measured_with_broken_gradients_stop_the_run() -> None:
    with pytest.raises(ModelError, match="training loss rose from 3.967 to 6.167"):
        require_learning(progress(RISING, 3.4, 3.3), must_learn=True)


@pytest.mark.parametrize("best", [2.0, 2.5, math.inf, math.nan])
def test_a_validation_loss_that_never_fell_stops(best: float) -> None:
    with pytest.raises(ModelError, match="before the first step it was 2.0000"):
        require_learning(progress(FALLING, 2.0, best), must_learn=True)


def test_a_training_without_progress_is_a_warning_where_it_is_allowed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    require_learning(progress(RISING, 2.0, 2.5), must_learn=False)
    assert "warning: validation loss is 2.5000" in capsys.readouterr().err


def test_falling_losses_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    require_learning(progress(FALLING, 2.0, 1.5), must_learn=True)
    require_learning(progress(FALLING, None, 1.5), must_learn=True)
    assert capsys.readouterr().err == ""


def test_a_rise_within_noise_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    noisy = [1.0, 1.3, 0.8, 1.2, 1.1, 1.0, 1.4, 0.9]
    require_learning(progress(noisy, 2.0, 1.5), must_learn=True)
    assert "warning: training loss ended at" in capsys.readouterr().err


@given(st.lists(st.floats(0.1, 9), max_size=3))
def test_few_losses_have_no_trend(losses: list[float]) -> None:
    begin, end, is_significant = loss_trend(progress(losses, None, 1.0).history)
    assert math.isnan(begin) and math.isnan(end) and not is_significant
