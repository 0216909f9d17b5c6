"""CUDA graphs of decode steps for a few row counts."""

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor

STEP = 64
"""Row counts above it are multiples of it; below it, powers of two."""


def padded_rows(rows: int, most: int) -> int:
    """The row count of the graph that computes so many rows."""
    padded = 1 << (rows - 1).bit_length() if rows <= STEP else -(-rows // STEP) * STEP
    return min(padded, most)


class DecodeGraphs:
    """Captures a step the first time that its kind comes, and replays it.

    A kind is a row count, and what else changes the computation. Graphs read weights by
    address: `keep_for` drops them when one has moved.

    Args:
        most: the largest row count.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._graphs: dict[tuple[int, Hashable], tuple[Any, Tensor, Tensor]] = {}
        self._pool: Any = None
        self._addresses: Any = None

    def keep_for(self, owner: Any, version: int) -> None:
        """Drop all graphs unless weights and `version` are those captured."""
        found = (version, [weight.data_ptr() for weight in owner.parameters()])
        if found != self._addresses:
            torch.cuda.synchronize()  # one may be running
            self._graphs.clear()
            self._pool = None  # torch frees a pool with its last graph
            self._addresses = found

    def run(
        self, ids: Tensor, kind: Hashable, step: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Logits of the padded row count, valid until the next call.

        Args:
            ids: shape [rows].
            kind: what changes the computation, but the row count.
            step: computes logits of ids, on memory that does not move.
        """
        rows = padded_rows(len(ids), self._most)
        if (rows, kind) not in self._graphs:
            self._graphs[rows, kind] = self._capture(rows, ids, step)
        graph, inputs, logits = self._graphs[rows, kind]
        inputs[: len(ids)] = ids
        graph.replay()
        return logits

    def _capture(
        self, rows: int, ids: Tensor, step: Callable[[Tensor], Tensor]
    ) -> tuple[Any, Tensor, Tensor]:
        inputs = torch.zeros(rows, dtype=ids.dtype, device=ids.device)
        inputs[: len(ids)] = ids
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            step(inputs)  # compiles kernels and fills caches outside the graph
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        with torch.cuda.graph(graph, pool=self._pool):
            logits = step(inputs)
        return graph, inputs, logits
