"""Split shares, epochs and steps are chosen by the size of the data."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graft.adding.recipe import (
    FEWEST_TOKENS,
    MOST_EPOCHS,
    MOST_TOKENS,
    Size,
    data_yaml,
    experiment_yaml,
    to_epochs,
)


@pytest.mark.parametrize(
    ("rows", "test", "epochs"),
    [(400, 0.1, (15, 20)), (20_000, 0.05, (0.7, 1)), (1_000_000, 0.001, (0.1, 0.2))],
)
def test_small_data_get_more_epochs_than_large_data(
    rows: int, test: float, epochs: tuple[float, float]
) -> None:
    text = experiment_yaml("mine", "translation", Size(rows, 75.0), 1024)
    values = yaml.safe_load(text)
    assert values["split"]["test"] == test
    assert epochs[0] <= values["train"]["epochs"] <= epochs[1] + 0.5
    assert "override /data: mine" in text


@given(st.floats(1, 1e12))
def test_no_training_is_much_longer_than_twenty_minutes(tokens: float) -> None:
    epochs = to_epochs(tokens)
    assert 0 < epochs <= MOST_EPOCHS
    assert epochs * tokens <= 1.06 * MOST_TOKENS
    assert epochs == MOST_EPOCHS or epochs * tokens >= 0.94 * FEWEST_TOKENS


def test_the_data_configuration_contains_what_was_found() -> None:
    text = data_yaml({"name": "mine", "fields": {"source": "été"}, "quote": None})
    assert yaml.safe_load(text) == {
        "defaults": ["base", "_self_"],
        "name": "mine",
        "fields": {"source": "été"},
        "quote": None,
    }
