"""Rows of a model that run together: added, cancelled and completed."""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from threading import Condition
from typing import Any

import torch

from graft.errors import HardwareError
from graft.inference.decoding import CHECK_EVERY
from graft.inference.families import inner_model
from graft.inference.requests import GenerationRequest, OpenRow, TokensEvent
from graft.inference.scheduler import Scheduler
from graft.inference.slots import TOKENS_AT_ONCE, release, runner_of
from graft.planning.generation_memory import Weights


class ContinuousBatch:
    """Rows of one model that come and go while others run.

    One thread runs the model, in `events`; any thread may call the other methods. If
    memory runs out, rows that have not ended go on in half the slots: their prompts and
    tokens so far are computed again.

    Args:
        model: one that `is_supported`. It must not be used otherwise until `events`
            has ended.
        num_slots: rows that run at once, at most; others wait.
        length: tokens that a slot holds: a prompt, and all that may follow it.
        weights: whether 4-bit weights are unpacked once; auto: if memory allows it.
    """

    def __init__(
        self, model: Any, num_slots: int, length: int, weights: Weights = "auto"
    ) -> None:
        self._model, self._num_slots, self._length = model, num_slots, length
        self._weights = weights
        self._changed = Condition()  # guards all below
        self._added: list[OpenRow] = []
        self._cancelled: set[Hashable] = set()
        self._open: set[Hashable] = set()
        self._closed = False

    def add(self, request: GenerationRequest) -> None:
        """Let a row enter as soon as a slot is free; first come, first served.

        Raises: ValueError for a request that no slot holds, a key that is in use, or
            after `close`.
        """
        row = OpenRow(request)
        row.check(self._length)
        with self._changed:
            if self._closed or request.key in self._open:
                raise ValueError(f"closed, or {request.key!r} has not ended")
            self._open.add(request.key)
            self._added.append(row)
            self._changed.notify()

    def cancel(self, key: Hashable) -> None:
        """End a row before the next step; a key of no open row is ignored."""
        with self._changed:
            if key in self._open:
                self._cancelled.add(key)

    def close(self) -> None:
        """Take no more requests; `events` ends with the rows that are open."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def events(self) -> Iterator[TokensEvent]:
        """Run the model until it is closed and all rows have ended.

        Yields: for each row, the tokens and text since its last event. Its last event,
            and no other, has a finish.
        Raises: HardwareError if memory runs out with a single slot.
        """
        slots, rows = self._num_slots, list[OpenRow]()
        while True:
            try:
                with open_scheduler(
                    self._model, slots, self._length, self._weights
                ) as scheduler:
                    slots = scheduler.num_slots
                    scheduler.add(*rows)
                    try:
                        yield from self._steps(scheduler)
                    finally:
                        rows = scheduler.open_rows
                        del scheduler
                return
            except torch.OutOfMemoryError as error:
                if slots == 1:
                    raise HardwareError(
                        str(inner_model(self._model).device),
                        "out of memory with a single prompt at once",
                        fix="lower generation.max_new_tokens, or shorten the prompts",
                    ) from error
            # Not in the handler, whose traceback holds tensors.
            slots //= 2
            release(self._model)

    def _steps(self, scheduler: Scheduler) -> Iterator[TokensEvent]:
        while True:
            with self._changed:
                while not (scheduler.open_rows or self._added or self._closed):
                    self._changed.wait()
                added, self._added = self._added, []
                cancelled, self._cancelled = self._cancelled, set()
            scheduler.add(*added)
            ended = scheduler.cancel(cancelled) if cancelled else scheduler.step()
            if not (ended or scheduler.open_rows):
                return
            for event in ended:
                if event.finish:
                    with self._changed:
                        self._open.remove(event.key)
                        self._cancelled.discard(event.key)
                yield event


def run_requests(
    model: Any,
    requests: Sequence[GenerationRequest],
    num_slots: int,
    weights: Weights = "auto",
) -> Iterator[TokensEvent]:
    """Complete all requests; the longest prompts enter first.

    Args:
        model: one that `is_supported`.
        requests: with unique keys.
        num_slots: rows at once, at most.
        weights: whether 4-bit weights are unpacked once; auto: if memory allows it.
    Yields and raises: as `ContinuousBatch.events`.
    """
    if not requests:
        return
    length = max(len(r.prompt) + r.max_new_tokens for r in requests)
    batch = ContinuousBatch(model, min(num_slots, len(requests)), length, weights)
    for request in sorted(requests, key=lambda request: -len(request.prompt)):
        batch.add(request)
    batch.close()
    yield from batch.events()


@contextmanager
def open_scheduler(
    model: Any, num_slots: int, length: int, weights: Weights = "auto"
) -> Iterator[Scheduler]:
    """A scheduler of a model, which must not be used otherwise inside.

    Args:
        model: one that `is_supported`.
        num_slots: rows at once, at most; fewer if memory is short.
        length: most tokens of a row, the prompt included.
        weights: whether 4-bit weights are unpacked once; auto: if memory allows it.
    """
    runner = runner_of(model, num_slots, length, weights)
    num_slots = min(num_slots, runner.num_slots)
    scheduler = Scheduler(
        runner,
        num_slots,
        steps_per_read=CHECK_EVERY if runner.device.type == "cuda" else 1,
        chunk_tokens=TOKENS_AT_ONCE,
        min_free=max(1, num_slots // 8),
    )
    with runner.session(model):
        yield scheduler
