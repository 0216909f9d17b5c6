"""Frozen weights of linear layers that read the same input, as one dense matrix."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
from torch import Tensor


class Scratch:
    """Memory that all layers unpack their weights into, one after the other.

    What is given is good until it is asked for again. One matrix at a time is unpacked:
    the largest decides the size.
    """

    def __init__(self, dtype: torch.dtype, device: torch.device) -> None:
        self._memory = torch.empty(0, dtype=dtype, device=device)

    @property
    def dtype(self) -> torch.dtype:
        """Of what is unpacked."""
        return self._memory.dtype

    def take(self, rows: int, columns: int) -> Tensor:
        """Memory for a matrix. Shape [rows, columns]."""
        if self._memory.numel() < rows * columns:
            self._memory = self._memory.new_empty(rows * columns)
        return self._memory[: rows * columns].view(rows, columns)


class Frozen:
    """The weights of some linear layers, one below the other.

    Args:
        linears: `torch.nn.Linear` or bitsandbytes' `Linear4bit`, all of one kind.
        scratch: where 4-bit weights are unpacked.
        ops: `kernels` or `plain`.
    """

    def __init__(
        self, linears: Sequence[Any], scratch: Scratch, ops: ModuleType
    ) -> None:
        self._scratch, self._ops = scratch, ops
        self.sizes = [linear.out_features for linear in linears]
        self.shape = (sum(self.sizes), linears[0].in_features)
        self._packed = [
            (linear.weight, linear.weight.quant_state)
            for linear in linears
            if hasattr(linear.weight, "quant_state")
        ]
        self._dense: Tensor | None = None
        if not self._packed:
            self._dense = torch.cat([linear.weight.detach() for linear in linears])
            for linear, part in zip(linears, self._dense.split(self.sizes)):
                linear.weight.data = part  # held once
        biases = [linear.bias for linear in linears]
        self.bias: Tensor | None = None
        if any(bias is not None for bias in biases):
            self.bias = torch.cat(
                [
                    scratch.take(1, size)[0].clone().zero_() if bias is None else bias
                    for bias, size in zip(biases, self.sizes)
                ]
            ).detach()

    @property
    def is_packed(self) -> bool:
        """Whether the weights are 4 bits."""
        return self._dense is None

    def dense(self, adapters: Sequence[tuple[Tensor, Tensor] | None] = ()) -> Tensor:
        """The matrix, until the next call. Shape [out features, in features].

        Args:
            adapters: of each layer the B by its scale, [out, rank], and the A, [rank,
                in], whose product is added to 4-bit weights before they are rounded.
        """
        if self._dense is not None:
            return self._dense
        out = self._scratch.take(*self.shape)
        found = adapters or [None] * len(self.sizes)
        for part, packed, adapter in zip(out.split(self.sizes), self._packed, found):
            weight, state = packed
            self._ops.dequantize_(part, weight.data, state, *(adapter or ()))
        return out
