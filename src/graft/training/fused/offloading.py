"""Tensors that wait in the machine's memory for the way back.

What was item last is fetched first. While it is read, what was item before it is on its
way already, so that neither waits for the other. The latest are here still, and need
no way at all.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_LEAVING = 4
"""Puts whose tensors are still device: the program waits for older ones to have left, or
it would be far ahead of the device, and all of them here."""


@dataclass(eq=False)
class Offloaded:
    """Tensors on the offloader: `host` in pinned memory, and `here` while they are.

    `copied`: when the last copy, in either direction, is done.
    """

    host: list[Tensor]
    device: list[Tensor] | None
    copied: torch.cuda.Event


class ActivationOffloader:
    """For one model's layers, each of which offloaded and fetches in turn."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._waiting: list[Offloaded] = []
        self._leaving: deque[Offloaded] = deque()

    def offload(self, tensors: Sequence[Tensor]) -> Offloaded:
        """Copy tensors host; their memory is free once they have left."""
        host = [torch.empty_like(one, device="cpu", pin_memory=True) for one in tensors]
        item = Offloaded(host, list(tensors), torch.cuda.Event())
        self._copy(list(zip(host, tensors)), item)
        self._waiting.append(item)
        self._leaving.append(item)
        if len(self._leaving) > _LEAVING:
            first = self._leaving.popleft()
            first.copied.synchronize()
            first.device = None
        return item

    def fetch(self, item: Offloaded) -> list[Tensor]:
        """The tensors on the device again; those item before them are sent for."""
        while (last := self._waiting.pop()) is not item:
            # Of a pass whose way back was not gone, as after an error.
            last.copied.synchronize()
        self._send_for(item)
        torch.cuda.current_stream(self._device).wait_event(item.copied)
        if item in self._leaving:
            self._leaving.remove(item)
        here, item.device = item.device, None
        if self._waiting:
            self._send_for(self._waiting[-1])
        assert here is not None
        return here

    def _send_for(self, item: Offloaded) -> None:
        if item.device is None:
            item.device = [
                torch.empty_like(one, device=self._device) for one in item.host
            ]
            self._copy(list(zip(item.device, item.host)), item)

    def _copy(self, pairs: list[tuple[Tensor, Tensor]], item: Offloaded) -> None:
        """Beside the work of the current stream, and after what is in it now: that may
        still use the memory."""
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            for to, of in pairs:
                to.copy_(of, non_blocking=True)
            item.copied.record()
