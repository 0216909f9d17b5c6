"""Frozen weights of linear layers with the same input, as one dense matrix."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from graft.training.parallel import DataParallelGroup


class Workspace:
    """A buffer that all layers dequantize their weights into, one after the other.

    A returned tensor is valid until the next call. The buffer grows to the size of the
    largest matrix.

    Args:
        dtype, device: of the dequantized weights.
        group: processes that 4-bit weights are sharded over; None: they are not.
    """

    def __init__(
        self,
        dtype: torch.dtype,
        device: torch.device,
        group: DataParallelGroup | None = None,
    ) -> None:
        self._memory = torch.empty(0, dtype=dtype, device=device)
        self._parts = torch.empty(0, dtype=torch.uint8, device=device)
        self.group = group

    @property
    def dtype(self) -> torch.dtype:
        """Of the dequantized weights."""
        return self._memory.dtype

    def take(self, rows: int, columns: int) -> Tensor:
        """An uninitialized matrix. Shape [rows, columns]."""
        if self._memory.numel() < rows * columns:
            self._memory = self._memory.new_empty(rows * columns)
        return self._memory[: rows * columns].view(rows, columns)

    def take_bytes(self, number: int) -> Tensor:
        """Uninitialized bytes. Shape [number]."""
        if self._parts.numel() < number:
            self._parts = self._parts.new_empty(number)
        return self._parts[:number]


class QuantizedWeight:
    """A 4-bit weight, sharded if the workspace has a group.

    If it is sharded, each process holds one part of the bytes, and all parts are
    gathered whenever the weight is used. Frozen weights need nothing more, as they have
    no gradients and no optimizer state.

    Args:
        weight: of bitsandbytes. If it is sharded, its data is empty afterwards.
        workspace: holds the group, and the buffer for gathered bytes.
    """

    def __init__(self, weight: Any, workspace: Workspace) -> None:
        self.state, self._workspace = weight.quant_state, workspace
        self._shape, self._bytes = weight.data.shape, weight.data
        if (group := workspace.group) is not None:
            flat = weight.data.flatten()
            size = -(-len(flat) // group.size)
            flat = functional.pad(flat, (0, size * group.size - len(flat)))
            self._bytes = flat.view(group.size, size)[group.rank].clone()
            weight.data = flat.new_empty(0)
            weight.sharded = self

    @property
    def part(self) -> Tensor:
        """This process's bytes."""
        return self._bytes

    def gather(self) -> Tensor:
        """All bytes; those of a sharded weight are valid until the next gather."""
        group = self._workspace.group
        if group is None:
            return self._bytes
        found = self._workspace.take_bytes(group.size * len(self._bytes))
        group.all_gather(found, self._bytes)
        return found[: self._shape.numel()].view(self._shape)


def gathered_bytes(weight: Any) -> Tensor:
    """The bytes of a 4-bit weight of bitsandbytes, gathered if they are sharded.

    A collective operation: all processes must gather the same weights in the same
    order.
    """
    sharded: QuantizedWeight | None = getattr(weight, "sharded", None)
    data: Tensor = weight.data
    return data if sharded is None else sharded.gather()


class FrozenWeights:
    """The weights of several linear layers, stacked along the outputs.

    Args:
        linears: `torch.nn.Linear` or bitsandbytes' `Linear4bit`, all of one kind.
        workspace: the buffer for dequantized weights.
        ops: `graft.kernels.cuda` or `.plain`.
    """

    def __init__(
        self, linears: Sequence[Any], workspace: Workspace, ops: ModuleType
    ) -> None:
        self._workspace, self._ops = workspace, ops
        self.sizes = [linear.out_features for linear in linears]
        self.shape = (sum(self.sizes), linears[0].in_features)
        self._packed = [
            QuantizedWeight(linear.weight, workspace)
            for linear in linears
            if hasattr(linear.weight, "quant_state")
        ]
        self._dense: Tensor | None = None
        if not self._packed:
            self._dense = torch.cat([linear.weight.detach() for linear in linears])
            for linear, part in zip(linears, self._dense.split(self.sizes)):
                linear.weight.data = part  # a view: no second copy
        biases = [linear.bias for linear in linears]
        self.bias: Tensor | None = None
        if any(bias is not None for bias in biases):
            self.bias = torch.cat(
                [
                    workspace.take(1, size)[0].clone().zero_() if bias is None else bias
                    for bias, size in zip(biases, self.sizes)
                ]
            ).detach()

    @property
    def is_packed(self) -> bool:
        """Whether the weights are stored in 4 bits."""
        return self._dense is None

    def dense(self, adapters: Sequence[tuple[Tensor, Tensor] | None] = ()) -> Tensor:
        """The matrix, valid until the next call. Shape [out features, in features].

        Args:
            adapters: for each layer B times its scale, [out, rank], and A, [rank, in].
                Their product is added to dequantized weights before rounding.
        """
        if self._dense is not None:
            return self._dense
        out = self._workspace.take(*self.shape)
        found = adapters or [None] * len(self.sizes)
        for part, packed, adapter in zip(out.split(self.sizes), self._packed, found):
            given = (packed.gather(), packed.state, *(adapter or ()))
            self._ops.dequantize_(part, *given)
        return out
