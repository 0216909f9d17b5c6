"""Tensors that wait in the machine's memory for the way back.

What the last layer put away is fetched first. While it is at work, what the layer
before it put away is on its way already, so that neither waits for the other.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Put:
    """A tensor on the shelf: `away` in pinned memory, and here again once fetched."""

    away: Tensor
    here: Tensor | None = None


class Shelf:
    """For one model's layers, of which each puts and fetches in turn."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._waiting: list[Put] = []

    def put(self, tensor: Tensor) -> Put:
        """Copy a tensor away; its memory is free as soon as nothing else holds it."""
        away = torch.empty_like(tensor, device="cpu", pin_memory=True)
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            away.copy_(tensor, non_blocking=True)
            tensor.record_stream(self._stream)
        found = Put(away)
        self._waiting.append(found)
        return found

    def fetch(self, put: Put) -> Tensor:
        """The tensor on the device again; the one put before it is sent for."""
        while self._waiting.pop() is not put:
            pass  # of a pass whose way back was not gone, as after an error
        self._send_for(put)
        torch.cuda.current_stream(self._device).wait_stream(self._stream)
        here = put.here
        assert here is not None
        here.record_stream(torch.cuda.current_stream(self._device))
        if self._waiting:
            self._send_for(self._waiting[-1])
        return here

    def _send_for(self, put: Put) -> None:
        if put.here is None:
            with torch.cuda.stream(self._stream):
                put.here = put.away.to(self._device, non_blocking=True)
