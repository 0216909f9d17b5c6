"""Prefill of a prompt that enters alone, as a CUDA graph.

A short prompt's many small kernels take the host longer to launch than the device to
compute. Prompts are padded on the right to a few lengths: causal attention does not
look there, and decoding writes there before it reads.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from graft.inference.adapters import AdapterSwitch
from graft.inference.graphs import StepGraphs
from graft.inference.layouts import Packed, Step


class SinglePrompts:
    """Fills one slot at a time.

    Args:
        graphs: those of the model's steps.
    """

    def __init__(self, graphs: StepGraphs) -> None:
        self._graphs = graphs
        # The slot, and the place of the prompt's last token: graphs read them here.
        self._entry = torch.zeros(2, 1, dtype=torch.long, device="cuda")

    def prefill(
        self,
        prompt: Sequence[int],
        padded: int,
        slot: int,
        number: int,
        memory: Tensor,
        forward: Callable[..., Tensor],
    ) -> Tensor:
        """The next token's logits, [1, vocabulary].

        Args:
            prompt: token ids.
            padded: tokens that are computed; the slot holds as many.
            slot: where keys and values are stored.
            number: of the adapter.
            memory: of all slots.
            forward: logits of ids, positions, a step and a switch.
        """
        device = memory.device
        entry = self._entry
        entry.copy_(torch.tensor([[slot], [len(prompt) - 1]]))

        def step(ids: Tensor) -> Tensor:
            positions = torch.arange(padded, device=device)
            starts = torch.arange(
                0, padded + 1, padded, dtype=torch.int32, device=device
            )
            packed = Packed(entry[0].repeat(padded), positions, starts, padded)
            return forward(
                ids[None],
                positions[None],
                Step(packed, memory),
                AdapterSwitch(entry[0], number),
                logits_to_keep=entry[1],
            )[0]

        ids = torch.tensor(prompt, device=device)
        return self._graphs.run(ids, padded, ("prompt", number), step).clone()
