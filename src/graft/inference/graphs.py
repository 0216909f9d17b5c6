"""CUDA graphs of steps of a few sizes."""

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor

STEP = 64
"""Row counts above it are multiples of it; below it, powers of two."""

PROMPT_TOKENS = 512
"""The longest prompt that has a graph."""


def padded_rows(rows: int, most: int) -> int:
    """The row count of the graph that computes so many rows."""
    padded = 1 << (rows - 1).bit_length() if rows <= STEP else -(-rows // STEP) * STEP
    return min(padded, most)


def padded_tokens(tokens: int, most: int) -> int | None:
    """Tokens of the graph that computes a single prompt: a power of two. None if there
    is none, since such a prompt keeps the device busier than the host."""
    padded = max(16, 1 << (tokens - 1).bit_length())
    return padded if padded <= min(PROMPT_TOKENS, most) else None


class StepGraphs:
    """Captures a step the first time that its kind comes, and replays it.

    A kind is a number of tokens, and what else changes the computation. Graphs read
    weights by address: `keep_for` drops them when one has moved.
    """

    def __init__(self) -> None:
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
        self,
        ids: Tensor,
        padded: int,
        kind: Hashable,
        step: Callable[[Tensor], Tensor],
    ) -> Tensor:
        """What `step` returns for padded ids, valid until the next call.

        Args:
            ids: shape [tokens].
            padded: the number of tokens that is computed.
            kind: what changes the computation, but that number.
            step: computes logits of ids, on memory that does not move.
        """
        if (padded, kind) not in self._graphs:
            self._graphs[padded, kind] = self._capture(padded, ids, step)
        graph, inputs, logits = self._graphs[padded, kind]
        inputs[: len(ids)] = ids
        graph.replay()
        return logits

    def _capture(
        self, padded: int, ids: Tensor, step: Callable[[Tensor], Tensor]
    ) -> tuple[Any, Tensor, Tensor]:
        inputs = torch.zeros(padded, dtype=ids.dtype, device=ids.device)
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
