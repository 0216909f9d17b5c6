"""A corrupted, zeroed, missing or foreign adapter is found by its validation loss."""

import pytest
import torch
from test_generate import EXAMPLES, tune

from graft.errors import ModelError
from graft.inference.adapter_check import check_validation_loss


@pytest.fixture
def tuned(model):
    return tune(model)


@pytest.fixture
def loss(tuned) -> float:
    """As training measures it, through PEFT's own layers."""
    total = number = 0.0
    for example in EXAMPLES:
        ids = torch.tensor([example.input_ids])
        with torch.no_grad():
            logs = tuned(ids).logits[0, :-1].log_softmax(-1)
        for place, counts in enumerate(example.loss_mask[1:]):
            total -= float(logs[place, example.input_ids[place + 1]]) * counts
            number += counts
    return total / number


def check(model, adapter, loss: float) -> float:
    return check_validation_loss(model, adapter, EXAMPLES, loss, "models/adapter")


def test_the_adapter_of_training_has_its_loss(tuned, loss):
    assert check(tuned, "default", loss) == pytest.approx(loss, rel=1e-3)


def zeroed(weights: list[torch.Tensor]) -> None:
    for weight in weights:
        weight.data.zero_()


def flipped(weights: list[torch.Tensor]) -> None:
    for weight in weights:
        weight.data.neg_()


def not_a_number(weights: list[torch.Tensor]) -> None:
    weights[0].data[0, 0] = float("nan")


@pytest.mark.parametrize("damage", [zeroed, flipped, not_a_number])
def test_a_damaged_adapter_is_refused(tuned, loss, damage):
    damage([weight for name, weight in tuned.named_parameters() if "lora_B" in name])
    with pytest.raises(ModelError, match=f"but training measured {loss:.4f}"):
        check(tuned, "default", loss)


def test_an_adapter_that_is_off_or_missing_is_refused(model, tuned, loss):
    for untuned in (model, tuned):
        with pytest.raises(ModelError, match="its validation loss is"):
            check(untuned, None, loss)
