"""Tensors that wait in the machine's memory for the way back.

What was put last is fetched first. While it is read, what was put before it is on its
way already, so that neither waits for the other. The latest are here still, and need
no way at all.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_LEAVING = 4
"""Puts whose tensors are still here: the program waits for older ones to have left, or
it would be far ahead of the device, and all of them here."""


@dataclass(eq=False)
class Put:
    """Tensors on the shelf: `away` in pinned memory, and `here` while they are.

    `copied`: when the last copy, in either direction, is done.
    """

    away: list[Tensor]
    here: list[Tensor] | None
    copied: torch.cuda.Event


class Shelf:
    """For one model's layers, each of which puts and fetches in turn."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._waiting: list[Put] = []
        self._leaving: deque[Put] = deque()

    def put(self, tensors: Sequence[Tensor]) -> Put:
        """Copy tensors away; their memory is free once they have left."""
        away = [torch.empty_like(one, device="cpu", pin_memory=True) for one in tensors]
        put = Put(away, list(tensors), torch.cuda.Event())
        self._copy(list(zip(away, tensors)), put)
        self._waiting.append(put)
        self._leaving.append(put)
        if len(self._leaving) > _LEAVING:
            first = self._leaving.popleft()
            first.copied.synchronize()
            first.here = None
        return put

    def fetch(self, put: Put) -> list[Tensor]:
        """The tensors on the device again; those put before them are sent for."""
        while (last := self._waiting.pop()) is not put:
            # Of a pass whose way back was not gone, as after an error.
            last.copied.synchronize()
        self._send_for(put)
        torch.cuda.current_stream(self._device).wait_event(put.copied)
        if put in self._leaving:
            self._leaving.remove(put)
        here, put.here = put.here, None
        if self._waiting:
            self._send_for(self._waiting[-1])
        assert here is not None
        return here

    def _send_for(self, put: Put) -> None:
        if put.here is None:
            put.here = [torch.empty_like(one, device=self._device) for one in put.away]
            self._copy(list(zip(put.here, put.away)), put)

    def _copy(self, pairs: list[tuple[Tensor, Tensor]], put: Put) -> None:
        """Beside the work of the current stream, and after what is in it now: that may
        still use the memory."""
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            for to, of in pairs:
                to.copy_(of, non_blocking=True)
            put.copied.record()
