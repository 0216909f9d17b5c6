"""Kernels of inference against the plain functions in float64, on a GPU."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from graft.kernels.adapted import plain
from graft.kernels.adapted.low_rank import LowRank

pytestmark = pytest.mark.gpu
DTYPES = {torch.float32: 1e-5, torch.bfloat16: 8e-3}
PAD = 24  # columns that lie between the tokens of a product and are not its own


@pytest.fixture
def kernels() -> Any:
    pytest.importorskip("triton")
    from graft.kernels.adapted import cuda as found

    torch.manual_seed(0)
    return found


Draw = Callable[..., Tensor]


@pytest.fixture
def draw(dtype: torch.dtype) -> Draw:
    """Random [tokens, features] whose tokens do not follow each other in memory."""

    def drawn(tokens: int, features: int) -> Tensor:
        wide = torch.randn(tokens, features + PAD, device="cuda").to(dtype)
        return wide[:, :features]

    return drawn


def make_added(draw: Draw, tokens: int, size: int, ranks: int, masked: bool) -> LowRank:
    off = torch.rand(tokens, ranks, device="cuda") < 0.5 if masked else None
    return LowRank(draw(tokens, ranks), draw(ranks, size), off)


def wide(added: LowRank | None) -> LowRank | None:
    if added is None:
        return None
    return replace(added, inner=added.inner.double(), up=added.up.double())


def assert_near(found: Tensor, expected: Tensor) -> None:
    bound = DTYPES[found.dtype] * expected.norm()
    assert (found.double() - expected).norm() <= bound


CASES = [(0, False), (3, False), (16, False), (48, True), (100, True)]


@pytest.mark.parametrize("tokens", [1, 13, 300])
@pytest.mark.parametrize(("ranks", "masked"), CASES)
class TestWithAdapters:
    def test_sums_and_their_norms(self, kernels, draw, tokens, ranks, masked):
        size = 96
        added = make_added(draw, tokens, size, ranks, masked) if ranks else None
        x, out = draw(tokens, size).contiguous(), draw(tokens, size)
        weight, expected = draw(1, size)[0].contiguous(), x.double()
        normed = plain.add_norm_(
            expected, out.double(), wide(added), weight.double(), 1e-5
        )
        same = x.clone()
        assert_near(kernels.add_norm_(x, out, added, weight, 1e-5), normed)
        assert_near(x, expected)
        assert kernels.add_(same, out, added) is same
        assert torch.equal(same, x)

    def test_swiglu(self, kernels, draw, tokens, ranks, masked):
        added = make_added(draw, tokens, 600, ranks, masked) if ranks else None
        gate_up = draw(tokens, 600)
        expected = plain.swiglu(gate_up.double(), wide(added))
        assert_near(kernels.swiglu(gate_up, added), expected)

    @pytest.mark.parametrize("size", [16, 64])
    def test_rotated_states_and_what_is_stored(
        self, kernels, draw, tokens, ranks, masked, size
    ):
        heads, keys = 3, 2
        width = (heads + 2 * keys) * size
        added = make_added(draw, tokens, width, ranks, masked) if ranks else None
        qkv = draw(tokens, width)
        cos, sin = (draw(tokens, size // 2).repeat(1, 2) for _ in range(2))
        own = draw(2 * 7 * tokens * keys, size).contiguous()
        own = own.view(2, 7, tokens, keys, size)
        slots = torch.arange(tokens, device="cuda") % 7
        positions = torch.randperm(tokens, device="cuda")
        expected, stored = qkv.double(), own.double()
        plain.rotate_and_store(
            expected, cos.double(), sin.double(), (heads, keys), wide(added),
            stored, slots, positions,
        )  # fmt: skip
        alone = qkv.clone()
        given = cos, sin, (heads, keys), added
        kernels.rotate_and_store(qkv, *given, own, slots, positions)
        assert_near(qkv, expected)
        assert_near(own, stored)
        kernels.rotate_and_store(alone, *given, None, slots, positions)
        assert torch.equal(alone, qkv)


def test_only_the_slots_of_tokens_are_written(kernels, draw):
    qkv, own = draw(2, 3 * 32), torch.zeros(2, 4, 5, 1, 32, device="cuda")
    own = own.to(qkv.dtype)
    angles = draw(2, 32).contiguous()
    at = torch.tensor([3, 1], device="cuda"), torch.tensor([0, 4], device="cuda")
    kernels.rotate_and_store(qkv, angles, angles, (1, 1), None, own, *at)
    written = own.abs().sum((0, 3, 4)).nonzero().tolist()
    assert written == [[1, 4], [3, 0]]


def test_copied_slots_begin_as_their_sources_and_others_stay(dtype):
    pytest.importorskip("triton")
    from graft.kernels.slots import copy

    memory = torch.randn(3, 2, 6, 9, 2, 40, device="cuda").to(dtype)
    expected = memory.clone()
    for source, target, kept in ((4, 1, 7), (5, 3, 2)):
        expected[:, :, target, :kept] = expected[:, :, source, :kept]
    copy(memory, torch.tensor([[4, 5], [1, 3], [7, 2]]))
    assert torch.equal(memory, expected)
