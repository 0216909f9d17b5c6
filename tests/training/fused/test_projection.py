"""Linear layers with adapters, against autograd over the formula."""

# pylint: disable=abstract-method,invalid-name  # as in PEFT's layers

from typing import Any

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit
from torch import Tensor, nn

from graft.kernels import plain
from graft.training.fused.frozen import Workspace
from graft.training.fused.projection import Projection

SCALE, RATE = 0.7, 0.4


class Adapted(nn.Module):
    """A linear layer with the attributes of PEFT 0.21 that graft reads."""

    def __init__(self, base: nn.Linear, rate: float) -> None:
        super().__init__()
        self.base_layer = base
        self.out_features = base.out_features
        down = nn.Linear(base.in_features, 3, bias=False, dtype=torch.float64)
        up = nn.Linear(3, base.out_features, bias=False, dtype=torch.float64)
        self.lora_A = nn.ModuleDict({"default": down})
        self.lora_B = nn.ModuleDict({"default": up})
        self.lora_dropout = nn.ModuleDict({"default": nn.Dropout(rate)})
        self.scaling = {"default": SCALE}


def linear(size: int, bias: bool = False) -> nn.Linear:
    return nn.Linear(64, size, bias=bias, dtype=torch.float64).requires_grad_(False)


def pack(base: nn.Linear, bits: str) -> Tensor:
    """Quantize its weight to 4 bits. Returns the dequantized weight."""
    packed, state = quantize_4bit(
        base.weight.float(),
        compress_statistics="double" in bits,
        quant_type="fp4" if "fp4" in bits else "nf4",
    )
    base.weight = nn.Parameter(packed, requires_grad=False)
    base.weight.quant_state = state  # type: ignore[attr-defined]
    weight: Tensor = dequantize_4bit(packed, state).double()
    return weight


def expected(layers: list[Any], dense: list[Tensor], x: Tensor, mask: Any) -> Tensor:
    """The outputs by the formula, for autograd."""
    found = []
    for layer, weight in zip(layers, dense):
        base = getattr(layer, "base_layer", layer)
        out = x @ weight.T + (0 if base.bias is None else base.bias)
        if layer is not base:
            down, up = (
                getattr(layer, n)["default"].weight for n in ("lora_A", "lora_B")
            )
            out = out + SCALE * (mask(x) @ down.T) @ up.T
        found.append(out)
    return torch.cat(found, dim=1)


@pytest.mark.parametrize("bits", ["16", "nf4", "fp4", "nf4, double"])
@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("kept", [True, False])
def test_outputs_and_gradients_are_those_of_the_formula(
    bits: str, seed: int | None, kept: bool
) -> None:
    torch.manual_seed(0)
    bases = [linear(64, bias=True), linear(32), linear(32)]
    dense = [base.weight.clone() for base in bases]
    if bits != "16":
        dense = [pack(base, bits) for base in bases]
    # The one in the middle has no adapter.
    layers = [Adapted(bases[0], RATE), bases[1], Adapted(bases[2], RATE)]
    workspace = Workspace(torch.float64, torch.device("cpu"))
    projection = Projection(layers, workspace, plain)
    x = torch.randn(9, 64, dtype=torch.float64, requires_grad=True)
    grad, residual = torch.randn(2, 9, 128, dtype=torch.float64)

    def mask(states: Tensor) -> Tensor:
        return states if seed is None else plain.dropout(states, RATE, seed)

    wanted = expected(layers, dense, x, mask) + residual
    wanted.backward(grad)
    projection.refresh()
    with torch.no_grad():
        out, inner = projection.forward(x, residual, seed)
        to_x, to_inner = projection.backward(grad, seed)
        found = projection.gradients(grad, to_inner, x, inner if kept else None, seed)
    assert torch.allclose(out, wanted, rtol=1e-6, atol=1e-6)
    assert x.grad is not None and torch.allclose(to_x, x.grad, rtol=1e-6, atol=1e-6)
    assert len(found) == len(projection.weights) == 4
    for one, weight in zip(found, projection.weights):
        assert weight.grad is not None and torch.allclose(one, weight.grad, atol=1e-6)


def test_dropout_is_off_where_its_modules_are() -> None:
    layer = Adapted(linear(8), RATE)
    projection = Projection(
        [layer], Workspace(torch.float64, torch.device("cpu")), plain
    )
    assert projection.rate == RATE
    layer.lora_dropout["default"].eval()
    assert projection.rate == 0


def test_unquantized_weights_are_held_once() -> None:
    layers = [linear(8), linear(16)]
    projection = Projection(
        layers, Workspace(torch.float64, torch.device("cpu")), plain
    )
    with torch.no_grad():
        layers[1].weight.zero_()
        out, _ = projection.forward(torch.randn(2, 64, dtype=torch.float64))
    assert (out[:, 8:] == 0).all() and (out[:, :8] != 0).all()
