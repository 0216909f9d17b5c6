"""The output layer with cross-entropy, against torch's own."""

import pytest
import torch
from torch.nn import functional

from graft.training.fused import loss, plain


@pytest.mark.parametrize("at_once", [1, 3, 100])
@pytest.mark.parametrize("weighed", [True, False])
def test_loss_and_gradient_are_those_of_torch(
    monkeypatch: pytest.MonkeyPatch, at_once: int, weighed: bool
) -> None:
    monkeypatch.setattr(loss, "_BYTES", at_once * 11 * 8)
    torch.manual_seed(0)
    hidden = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(11, 5, dtype=torch.float64)
    targets = torch.randint(0, 11, (7,))
    weights = torch.rand(7, dtype=torch.float64) if weighed else None
    each = functional.cross_entropy(hidden @ weight.T, targets, reduction="none")
    expected = (each if weights is None else each * weights).sum()
    (expected / 3).backward()
    gradient, hidden.grad = hidden.grad, None
    found = loss.linear_cross_entropy(hidden, weight, targets, weights, plain)
    (found / 3).backward()
    assert gradient is not None and hidden.grad is not None
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    assert torch.allclose(hidden.grad, gradient, rtol=1e-12)


def test_without_gradients_none_are_computed() -> None:
    hidden, weight = torch.randn(4, 5), torch.randn(11, 5)
    with torch.no_grad():
        found = loss.linear_cross_entropy(
            hidden, weight, torch.tensor([1, 2, 3, 4]), None, plain
        )
    assert not found.requires_grad and found > 0


def test_no_token_gives_no_loss() -> None:
    hidden = torch.zeros(0, 5, requires_grad=True)
    none = torch.zeros(0, dtype=torch.int64)
    found = loss.linear_cross_entropy(hidden, torch.randn(11, 5), none, None, plain)
    found.backward()
    assert found.item() == 0 and hidden.grad is not None
