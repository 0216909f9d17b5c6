"""Rows of a model that run together: added, cancelled and completed."""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Condition, Lock
from typing import Any

import torch

from graft.errors import HardwareError, RequestError
from graft.inference.adapter_loading import LoadedAdapters, read_adapter
from graft.inference.families import inner_model
from graft.inference.requests import GenerationRequest, OpenRow, TokensEvent
from graft.inference.scheduler import Scheduler
from graft.inference.slots import open_scheduler, release
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
        self._open: dict[Hashable, str | None] = {}  # key → the model's adapter
        self._adapters = LoadedAdapters(inner_model(model))
        self._reloads = self._is_stepping = self._is_paused = self._closed = False
        self._pausing = Lock()

    def add(self, request: GenerationRequest) -> None:
        """Let a row enter as soon as a slot is free; first come, first served.

        The row keeps its adapter, even if that is removed or replaced meanwhile.
        Raises: RequestError for a request that no slot holds, a key that is in use, an
            unknown adapter, or after `close`.
        """
        row = OpenRow(request)
        row.check(self._length)
        with self._changed:
            if self._closed:
                raise RequestError(f"request {request.key!r}", "the batch is closed")
            if request.key in self._open:
                raise RequestError(f"request {request.key!r}", "it has not ended")
            adapter = self._adapters.find(request.adapter)
            row.request = replace(request, adapter=adapter)
            self._open[request.key] = adapter
            self._added.append(row)
            self._changed.notify_all()

    def cancel(self, key: Hashable) -> None:
        """End a row at the next look, within 2 decode steps; a key of no open row is
        ignored."""
        with self._changed:
            if key in self._open:
                self._cancelled.add(key)

    def add_adapter(self, name: str, folder: Path) -> None:
        """Load an adapter between two steps; rows that are added from now on may use
        it. It takes memory that was not planned for.

        Args:
            name: that no adapter of the batch has; one that was removed may come again.
            folder: with the files that PEFT saves.
        Raises: RequestError if the name is in use; ModelError if the adapter cannot be
            read, does not fit the base, or cannot be switched by row.
        """
        files = read_adapter(folder)
        with self._between_steps():
            self._adapters.add(name, files)
            self._reloads = True

    def remove_adapter(self, name: str) -> None:
        """Let no more rows use an adapter; it is freed when no row uses it any more.

        Raises: RequestError if there is none with this name.
        """
        with self._changed:
            self._adapters.remove(name)
        self._free_adapters()

    def _free_adapters(self) -> None:
        with self._between_steps():
            with self._changed:
                used = set(self._open.values())
            self._reloads |= self._adapters.free_unused(used)

    @contextmanager
    def _between_steps(self) -> Iterator[None]:
        """Let no step run inside."""
        with self._pausing:
            with self._changed:
                self._is_paused = True
                self._changed.wait_for(lambda: not self._is_stepping)
            try:
                yield
            finally:
                with self._changed:
                    self._is_paused = False
                    self._changed.notify_all()

    def close(self) -> None:
        """Take no more requests; `events` ends with the rows that are open."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def events(self) -> Iterator[TokensEvent]:
        """Run the model until it is closed and all rows have ended.

        Yields: for each row, the tokens and text since its last event. Its last event,
            and no other, has a finish.
        Raises: HardwareError if memory runs out with a single slot.
        """
        slots, rows = self._num_slots, list[OpenRow]()
        while True:
            try:
                with ExitStack() as stack:
                    with self._stepping():  # it reads the adapters
                        scheduler = stack.enter_context(
                            open_scheduler(
                                self._model, slots, self._length, self._weights
                            )
                        )
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
            events = self._step(scheduler)
            if not (events or scheduler.open_rows):
                return
            with self._changed:
                for event in events:
                    if event.finish:
                        del self._open[event.key]
                        self._cancelled.discard(event.key)
            if self._adapters.removed:
                self._free_adapters()
            yield from events

    def _step(self, scheduler: Scheduler) -> list[TokensEvent]:
        """Wait for something to do; nothing happens if the batch is closed instead."""

        def is_ready() -> bool:
            waits = not (scheduler.open_rows or self._added or self._closed)
            return not (waits or self._is_paused)

        with self._changed:
            self._changed.wait_for(is_ready)
            added, self._added = self._added, []
            cancelled, self._cancelled = self._cancelled, set()
            reloads, self._reloads = self._reloads, False
            self._is_stepping = True
        with self._stepping():
            scheduler.add(*added)
            if reloads:
                scheduler.reload_adapters()
            return scheduler.cancel(cancelled) if cancelled else scheduler.step()

    @contextmanager
    def _stepping(self) -> Iterator[None]:
        """Let nothing run inside that `_between_steps` guards."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stepping or not self._is_paused)
            self._is_stepping = True
        try:
            yield
        finally:
            with self._changed:
                self._is_stepping = False
                self._changed.notify_all()


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
