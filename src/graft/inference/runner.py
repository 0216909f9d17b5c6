"""One model's steps over preallocated slots of keys and values."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from graft.inference.attention import SLOTTED, STEP, OneEach, Packed, register
from graft.inference.graphs import DecodeGraphs
from graft.inference.linears import InferenceLinears


class ModelRunner:
    """Prefill and decode steps, and the slots' memory.

    Steps run inside `session`, one at a time. The model is not kept, so that it can be
    freed although its runner is remembered.

    Args:
        model: a causal language model of transformers, with or without PEFT's adapters.
        num_slots: rows that run at once.
        length: tokens that a slot holds.
        dense: whether 4-bit weights are unpacked once.
    """

    def __init__(self, model: Any, num_slots: int, length: int, *, dense: bool) -> None:
        register()
        owner = inner_model(model)
        layers, heads, size = key_shape(owner.config)
        self.num_slots, self.length, self.device = num_slots, length, owner.device
        shape = (layers, 2, num_slots, length, heads, size)
        # Zeros: memory that was never written may hold NaN, which no mask removes.
        self._memory = torch.zeros(shape, dtype=owner.dtype, device=self.device)
        self._lengths = [0] * num_slots
        self._positions = torch.zeros(num_slots, dtype=torch.long, device=self.device)
        self._slots = torch.arange(num_slots, device=self.device)
        self._linears = InferenceLinears(owner, dense=dense)
        self._graphs = DecodeGraphs(num_slots) if owner.device.type == "cuda" else None
        self._model: Any = None

    @contextmanager
    def session(self, model: Any) -> Iterator[None]:
        """Prepare the model for steps, and leave it as it was."""
        owner = inner_model(model)
        owner.eval()
        before = owner.config._attn_implementation  # pylint: disable=protected-access
        owner.config._attn_implementation = SLOTTED  # pylint: disable=protected-access
        self._model = owner
        try:
            with self._linears.installed(owner):
                self.clear()
                if self._graphs:
                    self._graphs.keep_for(owner)
                yield
        finally:
            self._model = None
            # pylint: disable-next=protected-access
            owner.config._attn_implementation = before

    def prefill(self, first: int, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Fill the slots from `first` on; the next tokens' logits, [prompts, vocab]."""
        lengths = [len(prompt) for prompt in prompts]
        packed = lay_out(lengths, first, self.device)
        ends = packed.starts[1:].long() - 1
        ids = [token for prompt in prompts for token in prompt]
        logits = self._forward(
            torch.tensor([ids], device=self.device),
            packed.positions[None],
            packed,
            logits_to_keep=ends,
        )[0]
        slots = slice(first, first + len(prompts))
        self._lengths[slots] = lengths
        self._positions[slots] = packed.positions[ends] + 1
        return logits

    def decode(self, ids: Tensor) -> Tensor:
        """Add one token to each of the first slots; logits of the next, [rows, vocab].

        Args:
            ids: the tokens. Shape [rows].
        """
        rows = len(ids)
        if self._graphs:
            logits = self._graphs.run(ids, self._decode_step)[:rows]
        else:
            logits = self._decode_step(ids)
        self._positions[:rows] += 1
        self._lengths[:rows] = [length + 1 for length in self._lengths[:rows]]
        return logits

    def _decode_step(self, ids: Tensor) -> Tensor:
        rows = len(ids)
        longest = self.length
        if self._graphs is None:
            longest = max(self._lengths[:rows]) + 1
        positions = self._positions[:rows]
        each = OneEach(self._slots[:rows], positions, longest)
        return self._forward(ids[:, None], positions[:, None], each)[:, 0]

    def free(self, slot: int, last: int) -> None:
        """Give up a slot; the last slot in use moves there."""
        if slot != last:
            kept = self._lengths[last]
            self._memory[:, :, slot, :kept] = self._memory[:, :, last, :kept]
            self._lengths[slot] = kept
            self._positions[slot] = self._positions[last]
        self._lengths[last] = 0
        self._positions[last] = 0

    def clear(self) -> None:
        """Give up all slots."""
        self._lengths = [0] * self.num_slots
        self._positions.zero_()

    def _forward(
        self, ids: Tensor, positions: Tensor, layout: Packed | OneEach, **changes: Any
    ) -> Tensor:
        token = STEP.set((layout, self._memory))
        try:
            logits: Tensor = self._model(
                input_ids=ids, position_ids=positions, use_cache=False, **changes
            ).logits
        finally:
            STEP.reset(token)
        return logits


def lay_out(lengths: Sequence[int], first: int, device: Any) -> Packed:
    """Prompts of these lengths, in the slots from `first` on."""
    counts = torch.tensor(lengths)
    starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    positions = torch.arange(int(starts[-1])) - starts[:-1].repeat_interleave(counts)
    slots = (torch.arange(len(lengths)) + first).repeat_interleave(counts)
    return Packed(
        slots.to(device),
        positions.to(device),
        starts.to(device, torch.int32),
        max(lengths),
    )


def key_shape(config: Any) -> tuple[int, int, int]:
    """Layers, key heads and head size of a model with this config."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None)
    size = size or config.hidden_size // config.num_attention_heads
    return config.num_hidden_layers, heads, size


def inner_model(model: Any) -> Any:
    """transformers' model, in which PEFT's layers are."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model
