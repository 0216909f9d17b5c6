"""Linear layers with the same input, and their adapters, with explicit gradients.

Source of the method: Hu et al. 2021, arXiv:2106.09685 (LoRA); Kalajdzievski 2023,
arXiv:2312.03732 (rsLoRA, which differs in the scale).
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graft.training.fused.frozen import FrozenWeights, Workspace


class Projection:
    """y = x Wᵀ + bias + dropout(x) Aᵀ Bᵀ, for several layers at once.

    Their A are stacked, and their B are block-diagonal, so x is read once for all
    layers. They also share one dropout mask, whereas PEFT draws one for each layer.

    Args:
        layers: linear layers, with or without an adapter of PEFT 0.21.
        workspace, ops: as in `FrozenWeights`.
    """

    def __init__(
        self, layers: Sequence[Any], workspace: Workspace, ops: ModuleType
    ) -> None:
        bases = [getattr(layer, "base_layer", layer) for layer in layers]
        self._frozen = FrozenWeights(bases, workspace, ops)
        self._ops, self._dtype = ops, workspace.dtype
        self.weights: list[Tensor] = []
        """A and B of each adapter: [rank, in], [out, rank]."""
        self._scales: list[float] = []
        self._rows: list[slice] = []  # of the outputs
        self._ranks: list[slice] = []
        self._dropouts: list[torch.nn.Dropout] = []
        self._places: list[int] = []
        rank = row = 0
        for place, (layer, size) in enumerate(zip(layers, self._frozen.sizes)):
            if hasattr(layer, "lora_A"):
                one = layer.lora_A["default"].weight
                self.weights += [one, layer.lora_B["default"].weight]
                self._places.append(place)
                self._scales.append(layer.scaling["default"])
                self._rows.append(slice(row, row + size))
                self._ranks.append(slice(rank, rank + len(one)))
                dropout = layer.lora_dropout["default"]
                self._dropouts += [dropout] * isinstance(dropout, torch.nn.Dropout)
                rank += len(one)
            row += size
        self._num_ranks = rank
        self._rate = max((one.p for one in self._dropouts), default=0.0)
        self._down = self._up = torch.empty(0)
        self._adapters: list[tuple[Tensor, Tensor] | None] = []

    @property
    def rate(self) -> float:
        """The dropout rate; 0 where dropout is off, as in validation."""
        return max((one.p for one in self._dropouts if one.training), default=0.0)

    def refresh(self) -> None:
        """Stack the current `weights`: A to [ranks, in], scaled B to [out, ranks].

        Call it before each forward pass. Changes cannot be detected, because torch's
        fused AdamW does not increment a tensor's version.
        """
        if not self.weights:
            return
        parts = [weight.detach().to(self._dtype) for weight in self.weights]
        self._down = torch.cat(parts[::2])
        self._up = parts[0].new_zeros(self._frozen.shape[0], self._num_ranks)
        self._adapters = [None] * len(self._frozen.sizes)
        for place, rows, ranks, scale, down, up in zip(
            self._places,
            self._rows,
            self._ranks,
            self._scales,
            parts[::2],
            parts[1::2],
            strict=True,
        ):
            self._adapters[place] = (up * scale, down)
            self._up[rows, ranks] = up * scale

    def forward(
        self, x: Tensor, residual: Tensor | None = None, seed: int | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The outputs, and x Aᵀ; None: it is not needed, or adapters were merged.

        Args:
            x: shape [tokens, in].
            residual: added to the outputs. Shape [tokens, out].
            seed: of dropout; None: no dropout.
        """
        dense, bias = self._dense(seed), self._frozen.bias
        if residual is None:
            out = functional.linear(x, dense, bias)
        else:
            out = torch.addmm(residual, x, dense.T)
            out = out if bias is None else out.add_(bias)
        if not self.weights or self._merges(seed):
            return out, None
        inner = self._inner(x, seed)
        return out.addmm_(inner, self._up.T), inner

    def backward(
        self, grad: Tensor, seed: int | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Gradients of x and of x Aᵀ, given `grad` of the outputs, [tokens, out]."""
        to_x = grad @ self._dense(seed)
        if not self.weights:
            return to_x, None
        to_inner = grad @ self._up
        if seed is not None:
            to_x += self._ops.dropout(to_inner @ self._down, self._rate, seed)
        elif not self._merges(seed):
            to_x.addmm_(to_inner, self._down)
        return to_x, to_inner

    def gradients(
        self,
        grad: Tensor,
        to_inner: Tensor | None,
        x: Tensor,
        inner: Tensor | None = None,
        seed: int | None = None,
    ) -> list[Tensor]:
        """Gradients of `weights`, in their order.

        Args:
            grad: of the outputs. Shape [tokens, out].
            to_inner: of `backward`.
            x, seed: as in `forward`.
            inner: of `forward`; None: recomputed.
        """
        if to_inner is None:
            return []
        inner = self._inner(x, seed) if inner is None else inner
        dropped = x if seed is None else self._ops.dropout(x, self._rate, seed)
        to_down = _product(to_inner, dropped)  # [ranks, in]
        found = []
        for rows, ranks, scale in zip(self._rows, self._ranks, self._scales):
            to_up = _product(grad[:, rows], inner[:, ranks])
            found += [to_down[ranks], to_up * scale]
        return found

    def _merges(self, seed: int | None) -> bool:
        """Whether adapters are added to the weights during dequantization."""
        return seed is None and self._frozen.is_packed

    def _dense(self, seed: int | None) -> Tensor:
        return self._frozen.dense(self._adapters if self._merges(seed) else ())

    def _inner(self, x: Tensor, seed: int | None) -> Tensor:
        if seed is not None:
            x = self._ops.dropout(x, self._rate, seed)
        return x @ self._down.T


def _product(one: Tensor, other: Tensor) -> Tensor:
    """oneᵀ other, accumulated and returned in float32 for 16-bit inputs on a GPU."""
    if one.is_cuda and one.dtype != torch.float32:
        return torch.mm(one.T, other, out_dtype=torch.float32)
    return one.T @ other
