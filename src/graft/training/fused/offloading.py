"""Activations offloaded to host memory until the backward pass.

The tensors offloaded last are fetched first. While they are used, the ones before them
are prefetched, so that copies overlap with computation. The most recent ones are still
on the device and need no copy.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_MAX_PENDING = 4
"""Offloaded items whose tensors are still on the device. The host waits until older
ones are copied; otherwise it would run ahead and keep all of them on the device."""


@dataclass(eq=False)
class Offloaded:
    """Offloaded tensors: copies in pinned memory, and those on the device, if any.

    `copied`: event at the end of the last copy, in either direction.
    """

    host: list[Tensor]
    device: list[Tensor] | None
    copied: torch.cuda.Event


class ActivationOffloader:
    """Offloads the activations of one model's layers, and fetches them in reverse."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._offloaded: list[Offloaded] = []
        self._pending: deque[Offloaded] = deque()

    def offload(self, tensors: Sequence[Tensor]) -> Offloaded:
        """Copy tensors to host memory; their device memory is freed after the copy."""
        host = [torch.empty_like(one, device="cpu", pin_memory=True) for one in tensors]
        item = Offloaded(host, list(tensors), torch.cuda.Event())
        self._copy(list(zip(host, tensors)), item)
        self._offloaded.append(item)
        self._pending.append(item)
        if len(self._pending) > _MAX_PENDING:
            first = self._pending.popleft()
            first.copied.synchronize()
            first.device = None
        return item

    def fetch(self, item: Offloaded) -> list[Tensor]:
        """The tensors on the device; starts to prefetch the item before them."""
        while (last := self._offloaded.pop()) is not item:
            # Of a forward pass without a backward pass, as after an error.
            last.copied.synchronize()
        self._prefetch(item)
        torch.cuda.current_stream(self._device).wait_event(item.copied)
        if item in self._pending:
            self._pending.remove(item)
        tensors, item.device = item.device, None
        if self._offloaded:
            self._prefetch(self._offloaded[-1])
        assert tensors is not None
        return tensors

    def _prefetch(self, item: Offloaded) -> None:
        if item.device is None:
            item.device = [
                torch.empty_like(one, device=self._device) for one in item.host
            ]
            self._copy(list(zip(item.device, item.host)), item)

    def _copy(self, pairs: list[tuple[Tensor, Tensor]], item: Offloaded) -> None:
        """Copy in a stream of its own, after the work that is queued in the current
        stream, which may still use the memory."""
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            for to, of in pairs:
                to.copy_(of, non_blocking=True)
            item.copied.record()
