"""Kernels against the plain functions in float64, on a GPU."""

from typing import Any

import pytest
import torch
from torch import Tensor

from graft.kernels import plain

pytestmark = pytest.mark.gpu
DTYPES = {torch.float32: 1e-6, torch.bfloat16: 6e-3}
TOKENS, SIZE, WIDE, VOCABULARY = 13, 96, 2100, 5003


@pytest.fixture
def kernels() -> Any:
    pytest.importorskip("triton")
    from graft.kernels import cuda as found

    torch.manual_seed(0)
    return found


def draw(dtype: torch.dtype, *shape: int) -> Tensor:
    return torch.randn(*shape, device="cuda").to(dtype)


def assert_near(found: Any, expected: Any, dtype: torch.dtype) -> None:
    if isinstance(found, Tensor):
        found, expected = (found,), (expected,)
    for one, other in zip(found, expected, strict=True):
        assert (one.double() - other).norm() <= DTYPES[dtype] * other.norm()


def wide(*tensors: Tensor) -> list[Tensor]:
    return [tensor.double() for tensor in tensors]


def test_norms(kernels: Any, dtype: torch.dtype) -> None:
    x, other, grad = (draw(dtype, TOKENS, SIZE) for _ in range(3))
    weight = draw(dtype, SIZE)
    expected = plain.norm(*wide(x, weight), 1e-5)
    assert_near(kernels.norm(x, weight, 1e-5), expected, dtype)
    added = plain.add_norm(*wide(x, other, weight), 1e-5)
    assert_near(kernels.add_norm(x, other, weight, 1e-5), added, dtype)
    scale = expected[1]
    given = grad, x, weight, scale.float(), other
    back = plain.norm_backward(*wide(grad, x, weight, scale, other))
    assert_near(kernels.norm_backward(*given), back, dtype)


def test_rotary_positions(kernels: Any, dtype: torch.dtype) -> None:
    states = draw(dtype, TOKENS, 5 * 32)
    cos, sin = (draw(dtype, TOKENS, 16).repeat(1, 2) for _ in range(2))
    found, expected = states.clone(), states.double()
    kernels.rotate_(found, cos, sin, 3)
    plain.rotate_(expected, *wide(cos, sin), 3)
    assert_near(found, expected, dtype)
    assert torch.equal(found[:, 96:], states[:, 96:])
    parts = [draw(dtype, TOKENS, heads, 32) for heads in (3, 2, 2)]
    back = plain.rotate_backward(wide(*parts), *wide(cos, sin))
    assert_near(kernels.rotate_backward(parts, cos, sin), back, dtype)


def test_swiglu(kernels: Any, dtype: torch.dtype) -> None:
    gate_up, grad = draw(dtype, TOKENS, 2 * WIDE), draw(dtype, TOKENS, WIDE)
    assert_near(kernels.swiglu(gate_up), plain.swiglu(gate_up.double()), dtype)
    expected = wide(grad, gate_up)
    plain.swiglu_backward_(*expected)
    kernels.swiglu_backward_(grad, gate_up)
    assert_near([grad, gate_up], expected, dtype)


@pytest.mark.parametrize("weighted", [True, False])
def test_cross_entropy(kernels: Any, dtype: torch.dtype, weighted: bool) -> None:
    logits = 4 * draw(dtype, TOKENS, VOCABULARY)
    targets = torch.randint(0, VOCABULARY, (TOKENS,), device="cuda")
    weights = torch.rand(TOKENS, device="cuda") if weighted else None
    gradient = logits.double()
    losses = plain.cross_entropy_(
        gradient, targets, None if weights is None else weights.double()
    )
    assert_near(kernels.cross_entropy_(logits, targets, weights), losses, dtype)
    assert_near(logits, gradient, dtype)


def test_dropout_drops_a_share_and_repeats_it_with_the_seed(
    kernels: Any, dtype: torch.dtype
) -> None:
    x = draw(dtype, 400, SIZE)
    found = kernels.dropout(x, 0.3, 5)
    kept = found != 0
    assert kept.float().mean().item() == pytest.approx(0.7, abs=0.01)
    assert_near(found[kept], x[kept].double() / 0.7, dtype)
    assert torch.equal(found, kernels.dropout(x, 0.3, 5))
    assert not torch.equal(found, kernels.dropout(x, 0.3, 6))


@pytest.mark.parametrize("rank", [0, 4, 16, 40])
@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("kind", ["nf4", "fp4"])
def test_unpacked_weights(
    kernels: Any, dtype: torch.dtype, rank: int, double: bool, kind: str
) -> None:
    from bitsandbytes.functional import quantize_4bit

    packed, state = quantize_4bit(
        draw(dtype, 80, 192), compress_statistics=double, quant_type=kind
    )
    adapter = [draw(dtype, 80, rank), draw(dtype, rank, 192)] if rank else []
    found = torch.full((80, 192), float("nan"), device="cuda", dtype=dtype)
    expected = found.double()
    kernels.dequantize_(found, packed, state, *adapter)
    plain.dequantize_(expected, packed, state, *wide(*adapter))
    assert_near(found, expected, dtype)
