"""Continuous batching: prompts enter the batch as others end.

A running row is its slot: rows 0, 1, … have no gaps. When a row ends, the last row
moves to its slot, so a decode step always works on the first slots, without an index.
"""

from collections import deque
from collections.abc import Hashable, Sequence
from itertools import islice

import torch
from torch import Tensor

from graft.inference.requests import OpenRow, TokensEvent
from graft.inference.runner import ModelRunner
from graft.inference.sampling import TokenChooser


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
        self._cancelled: set[Hashable] = set()
        self._entered = False
        self._last = torch.zeros(num_slots, dtype=torch.long, device=runner.device)

    @property
    def open_rows(self) -> list[OpenRow]:
        """Rows that have not ended: the running ones, then the waiting ones."""
        return [*self._running, *self._waiting]

    def add(self, *rows: OpenRow) -> None:
        """Let rows wait for a slot; they enter in this order, and go on from the tokens
        that they have.

        Raises: ValueError for an empty prompt, or a row that no slot can hold.
        """
        for row in rows:
            if not row.request.prompt or row.num_left < 1:
                raise ValueError("a row needs a prompt, and at least one new token")
            if row.num_most > self._runner.length:
                raise ValueError(
                    f"{row.num_most} tokens do not fit a slot of {self._runner.length}"
                )
            self._waiting.append(row)

    def cancel(self, key: Hashable) -> None:
        """End a row before the next step; unknown keys are ignored."""
        self._cancelled.add(key)

    @torch.inference_mode()  # type: ignore[untyped-decorator]  # torch is untyped
    def step(self) -> list[TokensEvent]:
        """Let one chunk of prompts enter, or decode one to `steps_per_read` tokens a
        row. Two chunks never follow each other while rows run.
        """
        if cancelled := self._drop_cancelled():
            return cancelled  # alone: no later error can lose these events
        if not (self._entered and self._running):
            entered = self._prefill()
            self._entered = bool(entered)
            if entered:
                return entered
        self._entered = False
        return self._decode() if self._running else []

    def _drop_cancelled(self) -> list[TokensEvent]:
        cancelled, self._cancelled = self._cancelled, set()
        gone = [row for row in self.open_rows if row.request.key in cancelled]
        if gone:
            self._waiting = deque(
                row for row in self._waiting if row.request.key not in cancelled
            )
            self._free(
                [i for i, r in enumerate(self._running) if r.request.key in cancelled]
            )
        return [row.cancel() for row in gone]

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
        found = [self._choose(self._chooser(first), first, logits, 0)]
        return self._take(found, first)

    def _decode(self) -> list[TokensEvent]:
        number = min(self._steps, *(row.num_left for row in self._running))
        found, chooser = [], self._chooser(0)
        for step in range(number):
            logits = self._runner.decode(self._last[: len(self._running)])
            found.append(self._choose(chooser, 0, logits, step))
        return self._take(found, 0)

    def _chooser(self, first: int) -> TokenChooser:
        """Chooses for the rows from `first` on."""
        rows = self._running[first:]
        return TokenChooser(
            [row.request.sampling for row in rows],
            any(row.request.logprobs for row in rows),
            self._runner.device,
        )

    def _choose(
        self, chooser: TokenChooser, first: int, logits: Tensor, ahead: int
    ) -> tuple[Tensor, Tensor | None]:
        rows = self._running[first:]
        numbers = [len(row.tokens) + ahead for row in rows]
        tokens, logprobs = chooser.choose(logits, numbers)
        self._last[first : first + len(rows)] = tokens
        return tokens, logprobs

    def _take(
        self, found: Sequence[tuple[Tensor, Tensor | None]], first: int
    ) -> list[TokensEvent]:
        """Hand chosen tokens, a tensor [rows] a step, to the rows from `first` on."""
        rows = self._running[first:]
        tokens = torch.stack([chosen for chosen, _ in found], dim=1).tolist()
        logs: list[list[float]] = [[]] * len(rows)
        probed = [logprobs for _, logprobs in found if logprobs is not None]
        if probed:
            logs = torch.stack(probed, dim=1).tolist()
        events, over = [], []
        for place, (row, new, log) in enumerate(zip(rows, tokens, logs)):
            events.append(row.extend(new, log))
            if events[-1].finish:
                over.append(first + place)
        self._free(over)
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
