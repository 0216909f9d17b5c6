"""The last norm and output layer with cross-entropy, against torch's own."""

import pytest
import torch
from torch.nn import functional

from graft.kernels import plain
from graft.training.fused import loss


def make_head(dtype: torch.dtype = torch.float64) -> loss.Head:
    return loss.Head(torch.rand(5, dtype=dtype), 1e-5, torch.randn(11, 5, dtype=dtype))


@pytest.mark.parametrize("at_once", [1, 3, 100])
@pytest.mark.parametrize("weighted", [True, False])
def test_loss_and_gradient_are_those_of_torch(
    monkeypatch: pytest.MonkeyPatch, at_once: int, weighted: bool
) -> None:
    monkeypatch.setattr(loss, "LOGIT_BYTES", at_once * 11 * 8)
    torch.manual_seed(0)
    hidden = torch.randn(9, 5, dtype=torch.float64, requires_grad=True)
    head, predicts = make_head(), torch.tensor([0, 1, 3, 4, 6, 8, 5])
    targets = torch.randint(0, 11, (7,))
    weights = torch.rand(7, dtype=torch.float64) if weighted else None
    normed = functional.rms_norm(hidden, (5,), head.norm, head.eps)
    logits = normed[predicts] @ head.out.T
    each = functional.cross_entropy(logits, targets, reduction="none")
    expected = (each if weights is None else each * weights).sum()
    (expected / 3).backward()
    gradient, hidden.grad = hidden.grad, None
    found = loss.head_loss(hidden, head, predicts, targets, weights, plain)
    (found / 3).backward()
    assert gradient is not None and hidden.grad is not None
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    assert torch.allclose(hidden.grad, gradient, rtol=1e-10)


def test_without_gradients_none_are_computed() -> None:
    hidden, places = torch.randn(4, 5), torch.arange(4)
    with torch.no_grad():
        found = loss.head_loss(
            hidden, make_head(torch.float32), places, places, None, plain
        )
    assert not found.requires_grad and found > 0


def test_no_trained_token_gives_no_loss() -> None:
    hidden = torch.zeros(3, 5, requires_grad=True)
    none = torch.zeros(0, dtype=torch.int64)
    head = make_head(torch.float32)
    found = loss.head_loss(hidden, head, none, none, None, plain)
    found.backward()
    assert found.item() == 0 and hidden.grad is not None
