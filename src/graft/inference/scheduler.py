"""Continuous batching: prompts enter the batch as others end.

A running row is its slot: rows 0, 1, … have no gaps. When a row ends, the last row
moves to its slot, so a decode step always works on the first slots, without an index.
"""

from collections import deque
from collections.abc import Collection, Hashable, Sequence
from itertools import islice
from typing import Any

import torch

from graft.inference.requests import OpenRow, TokensEvent
from graft.inference.runner import ModelRunner
from graft.inference.sampling import Chosen, TokenChooser


class Scheduler:
    """Requests wait, run in a slot, and end.

    Args:
        runner: computes the steps.
        num_slots: rows that run at once.
        steps_per_read: decode steps between two looks at the tokens. A look waits for
            the device; a row that ends between two is computed a little further.
        chunk_tokens: prompt tokens that enter at once, but always one prompt.
        min_free: prompts enter once so many slots are free, or none is taken. More than
            1 saves passes over the weights and delays first tokens.
    """

    def __init__(
        self,
        runner: ModelRunner,
        num_slots: int,
        *,
        steps_per_read: int = 1,
        chunk_tokens: int = 8192,
        min_free: int = 1,
    ) -> None:
        self._runner, self.num_slots = runner, num_slots
        self._steps, self._chunk, self._min_free = (
            steps_per_read,
            chunk_tokens,
            min_free,
        )
        self._waiting: deque[OpenRow] = deque()
        self._running: list[OpenRow] = []
        self._entered = False
        self._last = torch.zeros(num_slots, dtype=torch.long, device=runner.device)

    @property
    def open_rows(self) -> list[OpenRow]:
        """Rows that have not ended: the running ones, then the waiting ones."""
        return [*self._running, *self._waiting]

    def add(self, *rows: OpenRow) -> None:
        """Let rows wait for a slot; they enter in this order, and go on from the tokens
        that they have.

        Raises: RequestError for an empty prompt, or a row that no slot can hold.
        """
        for row in rows:
            row.check(self._runner.length)
            self._waiting.append(row)

    def cancel(self, keys: Collection[Hashable]) -> list[TokensEvent]:
        """End these rows; keys of no open row are ignored. Returns: their events."""
        gone = {row: None for row in self.open_rows if row.request.key in keys}
        self._waiting = deque(row for row in self._waiting if row not in gone)
        self._free([slot for slot, row in enumerate(self._running) if row in gone])
        return [row.cancel() for row in gone]

    def reload_adapters(self) -> None:
        """Use the adapters that the model now has; those of open rows are among them.

        Rows that run keep their keys and values.
        """
        self._runner.reload_adapters(len(self._running))

    @torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is untyped
    def step(self) -> list[TokensEvent]:
        """Let one chunk of prompts enter, or decode one to `steps_per_read` tokens a
        row. Two chunks never follow each other while rows run.
        """
        if not (self._entered and self._running):
            entered = self._prefill()
            self._entered = bool(entered)
            if entered:
                return entered
        self._entered = False
        return self._decode() if self._running else []

    def _prefill(self) -> list[TokensEvent]:
        first = len(self._running)
        free = self.num_slots - first
        if not self._waiting or free < (self._min_free if first else 1):
            return []
        prompts: list[list[int]] = []
        tokens = 0
        for row in islice(self._waiting, free):
            prompt = [*row.request.prompt, *row.tokens]
            tokens += len(prompt)
            if prompts and tokens > self._chunk:
                break
            prompts.append(prompt)
        adapters = [r.request.adapter for r in islice(self._waiting, len(prompts))]
        logits = self._runner.prefill(first, prompts, adapters)
        # Only now: rows that ran out of memory are still waiting.
        self._running += [self._waiting.popleft() for _ in prompts]
        chooser = TokenChooser(self._running[first:], 1, self._runner.device)
        chosen = chooser.choose(logits, 0)
        self._last[first : len(self._running)] = chosen.tokens
        return self._take([chosen], first)

    def _decode(self) -> list[TokensEvent]:
        rows = len(self._running)
        steps = min(self._steps, *(row.num_left for row in self._running))
        chooser, found = TokenChooser(self._running, steps, self._runner.device), []
        for step in range(steps):
            logits = self._runner.decode(self._last[:rows])
            found.append(chooser.choose(logits, step))
            self._last[:rows] = found[-1].tokens
        return self._take(found, 0)

    def _take(self, found: Sequence[Chosen], first: int) -> list[TokensEvent]:
        """Give the tokens chosen in some steps to the rows from `first` on."""
        chosen: list[list[Any]] = [  # each [rows, steps, …]
            torch.stack(parts, dim=1).tolist()
            for parts in zip(*found)
            if parts[0] is not None
        ]
        rows = self._running[first:]
        events = [row.extend(*own) for row, *own in zip(rows, *chosen)]
        self._free(
            [first + place for place, event in enumerate(events) if event.finish]
        )
        return events

    def _free(self, rows: Sequence[int]) -> None:
        """Close slots, the last first, each with the row of the then last slot."""
        for row in sorted(rows, reverse=True):
            last = len(self._running) - 1
            if row < last:
                self._running[row] = self._running[last]
                self._last[row] = self._last[last]
            self._runner.free(row, last)
            self._running.pop()
