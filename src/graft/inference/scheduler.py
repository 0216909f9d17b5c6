"""Continuous batching: prompts enter the batch as others end.

A running row is its slot: rows 0, 1, … have no gaps. When rows end, the last rows move
to their slots, so a decode step always works on the first slots, without an index.

An accelerator computes a step while the host reads the tokens of the step before it. So
a row that has ended is computed for one step more, whose token nobody reads. While a
row with a grammar runs, no step is launched so: its token decides which may follow.
"""

from collections import deque
from collections.abc import Collection, Hashable
from itertools import islice

import torch
from torch import Tensor

from graft.inference.requests import OpenRow, TokensEvent
from graft.inference.runner import ModelRunner
from graft.inference.sampling import ChosenOnHost, TokenChooser


class Scheduler:
    """Requests wait, run in a slot, and end.

    Args:
        runner: computes the steps.
        num_slots: rows that run at once.
        overlaps: whether a step is launched before the tokens of the one before it are
            read.
        chunk_tokens: prompt tokens that enter at once, but always one prompt.
        min_free: prompts enter once so many slots are free, or none is taken. More than
            1 saves passes over the weights and delays first tokens.
    """

    def __init__(
        self,
        runner: ModelRunner,
        num_slots: int,
        *,
        overlaps: bool = False,
        chunk_tokens: int = 8192,
        min_free: int = 1,
    ) -> None:
        self._runner, self.num_slots = runner, num_slots
        self._overlaps, self._chunk, self._min_free = overlaps, chunk_tokens, min_free
        self._launched: deque[tuple[list[OpenRow], ChosenOnHost]] = deque()
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
        events = [row.cancel() for row in self.open_rows if row.request.key in keys]
        self._waiting = deque(row for row in self._waiting if not row.ended)
        self._free_ended()
        return events

    def reload_adapters(self) -> None:
        """Use the adapters that the model now has; those of open rows are among them.

        Rows that run keep their keys and values.
        """
        self._runner.reload_adapters(len(self._running))

    @torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is untyped
    def step(self) -> list[TokensEvent]:
        """Let one chunk of prompts enter, or decode one token a row. Two chunks never
        follow each other while rows run.

        Returns: what has been read since; nothing may have been.
        """
        enters = self._waiting and not (self._entered and self._running)
        if enters and self._has_room():
            if self._launched:
                return self._read()
            self._entered = True
            return self._prefill()
        self._entered = False
        return self._decode() if self._running else []

    def _has_room(self) -> bool:
        free = self.num_slots - len(self._running)
        return free >= (self._min_free if self._running else 1)

    def _prefill(self) -> list[TokensEvent]:
        first = len(self._running)
        prompts: list[list[int]] = []
        tokens = 0
        for row in islice(self._waiting, self.num_slots - first):
            prompt = [*row.request.prompt, *row.tokens]
            tokens += len(prompt)
            if prompts and tokens > self._chunk:
                break
            prompts.append(prompt)
        rows = list(islice(self._waiting, len(prompts)))
        adapters = [row.request.adapter for row in rows]
        logits = self._runner.prefill(first, prompts, adapters)
        # Only now: rows that ran out of memory are still waiting.
        self._running += [self._waiting.popleft() for _ in prompts]
        self._choose(rows, logits, first)
        return self._read()

    def _decode(self) -> list[TokensEvent]:
        rows, ahead = list(self._running), len(self._launched)
        if goes_on := any(row.num_left > ahead for row in rows):
            self._choose(rows, self._runner.decode(self._last[: len(rows)]), 0)
        overlaps = self._overlaps and not any(row.grammar for row in rows)
        if goes_on and overlaps and not ahead:
            return []
        return self._read()

    def _choose(self, rows: list[OpenRow], logits: Tensor, first: int) -> None:
        """Launch the choice of the next token of rows in the slots from `first` on."""
        chooser = TokenChooser(rows, len(self._launched), self._runner.device)
        chosen = chooser.choose(logits)
        self._last[first : first + len(rows)] = chosen.tokens
        self._launched.append((rows, ChosenOnHost(chosen)))

    def _read(self) -> list[TokensEvent]:
        """Give the tokens of the oldest step that is not read to their rows."""
        rows, chosen = self._launched.popleft()
        events = [
            row.extend(*own) for row, *own in zip(rows, *chosen.wait()) if not row.ended
        ]
        self._free_ended()
        return events

    def _free_ended(self) -> None:
        """Close the slots of ended rows; the last rows move there."""
        open_slots = [i for i, row in enumerate(self._running) if not row.ended]
        rows = len(open_slots)
        if rows == len(self._running):
            return
        sources = [slot for slot in open_slots if slot >= rows]
        targets = [i for i, row in enumerate(self._running[:rows]) if row.ended]
        for source, target in zip(sources, targets, strict=True):
            self._running[target] = self._running[source]
        at_source, at_target = self._runner.close(rows, sources, targets)
        self._last[at_target] = self._last[at_source]
        del self._running[rows:]
