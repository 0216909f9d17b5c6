"""One model's steps over preallocated slots of keys and values."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

from graft.inference.adapters import SWITCH, AdapterSwitch, check_adapters
from graft.inference.attention import SLOTTED, copy_slots, register
from graft.inference.families import inner_model, key_shape
from graft.inference.graphs import StepGraphs, padded_rows, padded_tokens
from graft.inference.layouts import STEP, OneEach, Packed, Step
from graft.inference.linears import InferenceLinears
from graft.inference.prefixes import Prompt, lay_out, plan_prompts
from graft.inference.single_prompts import SinglePrompts


class ModelRunner:
    """Prefill and decode steps, and the slots' memory.

    Steps run inside `session`. The model is not kept, so that it can be freed.

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
        self.is_dense = dense
        shape = (layers, 2, num_slots, length, heads, size)
        # Zeros: memory that was never written may hold NaN, which no mask removes.
        self._memory = torch.zeros(shape, dtype=owner.dtype, device=self.device)
        self._lengths = [0] * num_slots
        self._prompts = [Prompt(None, ())] * num_slots
        self._positions = torch.zeros(num_slots, dtype=torch.long, device=self.device)
        self._numbers = torch.zeros_like(self._positions)  # of adapters
        self._slots = torch.arange(num_slots, device=self.device)
        self._linears = InferenceLinears(owner, dense=dense)
        self._graphs = StepGraphs() if owner.device.type == "cuda" else None
        self._single = SinglePrompts(self._graphs) if self._graphs else None
        self._model: Any = None
        self._differed = False  # rows had different adapters in this session

    @contextmanager
    def session(self, model: Any) -> Iterator[None]:
        """Prepare the model for steps, and leave it as it was."""
        owner = inner_model(model).eval()
        before = owner.config._attn_implementation  # pylint: disable=protected-access
        owner.config._attn_implementation = SLOTTED  # pylint: disable=protected-access
        self._model = owner
        try:
            with self._linears.installed(owner):
                self._lengths = [0] * self.num_slots
                self._positions.zero_()
                self._differed = False
                self._keep_graphs()
                yield
        finally:
            self._model = None
            # pylint: disable-next=protected-access
            owner.config._attn_implementation = before

    def prefill(
        self,
        first: int,
        prompts: Sequence[Sequence[int]],
        adapters: Sequence[str | None],
    ) -> Tensor:
        """Fill the slots from `first` on; the next tokens' logits, [prompts, vocab].

        Equal prompts, and long common beginnings, are computed once for an adapter.

        Args:
            prompts: token ids, a prompt each slot.
            adapters: the adapter of each prompt; None: the base alone.
        """
        new = [Prompt(*pair) for pair in zip(adapters, prompts, strict=True)]
        numbers = self._to_numbers(adapters)
        padded = padded_tokens(len(prompts[0]), self.length)
        if self._single and padded and len(prompts) == 1:
            number = self._linears.numbers[adapters[0]]
            logits = self._single.prefill(
                prompts[0], padded, first, number, self._memory, self._forward
            )
        else:
            logits = self._prefill_packed(self._prompts[:first], new, numbers)
        lengths = [len(prompt) for prompt in prompts]
        filled = slice(first, first + len(prompts))
        self._lengths[filled], self._prompts[filled] = lengths, new
        self._positions[filled] = torch.tensor(lengths, device=self.device)
        self._numbers[filled] = numbers
        return logits

    def _prefill_packed(
        self, held: Sequence[Prompt], new: Sequence[Prompt], numbers: Tensor
    ) -> Tensor:
        plan = plan_prompts(held, new, self.device)
        ends = plan.packed.starts[1:].long() - 1
        adapters = {prompt.adapter for prompt in new}
        switch = self._to_switch(plan.packed, numbers[plan.rows], adapters)
        memory = self._memory
        logits = self._forward_packed(plan.ids, plan.packed, memory, switch, ends)
        for copies in plan.copies:
            copy_slots(memory, copies)
        return logits if len(plan.rows) == len(new) else logits[plan.order]

    def score(
        self,
        sequences: Sequence[Sequence[int]],
        adapter: str | None,
        kept: Tensor,
    ) -> Tensor:
        """Logits after some tokens of packed sequences, [tokens kept, vocab].

        Args:
            sequences: token ids.
            adapter: of all of them; None: the base alone.
            kept: numbers of the tokens, counted through all sequences.
        """
        lengths = [len(ids) for ids in sequences]
        packed = lay_out(lengths, range(len(lengths)), self.device)
        numbers = self._to_numbers([adapter] * len(sequences))
        switch = self._to_switch(packed, numbers, {adapter})
        return self._forward_packed(sequences, packed, None, switch, kept)

    def decode(self, ids: Tensor) -> Tensor:
        """Add one token to each of the first slots; logits of the next, [rows, vocab].

        Args:
            ids: the tokens. Shape [rows].
        """
        rows = len(ids)
        adapters = {prompt.adapter for prompt in self._prompts[:rows]}
        # Rows that once differed will again: fewer kinds of graphs are captured.
        self._differed |= len(adapters) > 1
        common = None if self._differed else self._common(adapters)
        step = partial(self._decode_step, common=common)
        if self._graphs:
            padded = padded_rows(rows, self.num_slots)
            logits = self._graphs.run(ids, padded, common, step)[:rows]
        else:
            logits = step(ids)
        self._positions[:rows] += 1
        self._lengths[:rows] = [length + 1 for length in self._lengths[:rows]]
        return logits

    def _decode_step(self, ids: Tensor, common: int | None) -> Tensor:
        rows = len(ids)
        longest = self.length if self._graphs else max(self._lengths[:rows]) + 1
        positions = self._positions[:rows]
        each = OneEach(self._slots[:rows], positions, longest)
        switch = AdapterSwitch(self._numbers[:rows], common)
        step = Step(each, self._memory)
        return self._forward(ids[:, None], positions[:, None], step, switch)[:, 0]

    def _to_numbers(self, adapters: Sequence[str | None]) -> Tensor:
        """Numbers of adapters, [rows]. Raises: RequestError for an unknown one."""
        check_adapters(adapters, self._linears.numbers)
        numbers = [self._linears.numbers[adapter] for adapter in adapters]
        return torch.tensor(numbers, device=self.device)

    def _to_switch(
        self, packed: Packed, numbers: Tensor, adapters: set[str | None]
    ) -> AdapterSwitch:
        """The switch of packed sequences whose adapters have these numbers."""
        used = numbers.repeat_interleave(packed.starts.diff())
        return AdapterSwitch(used, self._common(adapters))

    def _common(self, adapters: set[str | None]) -> int | None:
        """The number of the rows' adapter; None if they differ."""
        if len(adapters) > 1:
            return None
        return self._linears.numbers[next(iter(adapters))]

    def reload_adapters(self, rows: int) -> None:
        """Compute with the adapters that the model now has, between two steps.

        Args:
            rows: the first slots, which are in use; their adapters are still there.
        """
        self._linears.install(self._model)
        adapters = [prompt.adapter for prompt in self._prompts[:rows]]
        self._numbers[:rows] = self._to_numbers(adapters)
        self._keep_graphs()

    def close(self, rows: int, sources: list[int], targets: list[int]) -> Tensor:
        """Give up all slots but the first `rows`.

        Args:
            sources, targets: slots that move, and to where, before that.
        Returns: sources and targets on the device. Shape [2, moves].
        """
        kept = [self._lengths[source] for source in sources]
        copies = torch.tensor([sources, targets, kept], dtype=torch.long)
        # Not blocking: the host does not wait for the step before.
        pairs = copies[:2].to(self.device, non_blocking=True)
        if sources:
            copy_slots(self._memory, copies)
        for states in (self._positions, self._numbers):
            states[pairs[1]] = states[pairs[0]]
        for source, target in zip(sources, targets, strict=True):
            self._lengths[target] = self._lengths[source]
            self._prompts[target] = self._prompts[source]
        self._lengths[rows:] = [0] * (self.num_slots - rows)
        self._positions[rows:] = 0
        return pairs

    def _keep_graphs(self) -> None:
        """Keep the graphs that read no weight that has moved."""
        if self._graphs:
            self._graphs.keep_for(self._model, self._linears.version)

    def _forward_packed(
        self,
        sequences: Sequence[Sequence[int]],
        packed: Packed,
        memory: Tensor | None,
        switch: AdapterSwitch,
        kept: Tensor,
    ) -> Tensor:
        ids = torch.tensor([[i for ids in sequences for i in ids]], device=self.device)
        at, step = packed.positions[None], Step(packed, memory)
        return self._forward(ids, at, step, switch, logits_to_keep=kept)[0]

    def _forward(
        self,
        ids: Tensor,
        positions: Tensor,
        step: Step,
        switch: AdapterSwitch,
        **changes: Any,
    ) -> Tensor:
        tokens = STEP.set(step), SWITCH.set(switch)
        try:
            logits: Tensor = self._model(
                input_ids=ids, position_ids=positions, use_cache=False, **changes
            ).logits
        finally:
            STEP.reset(tokens[0])
            SWITCH.reset(tokens[1])
        return logits
