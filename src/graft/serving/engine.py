"""The generation engine in a thread of its own, and its events in coroutines."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from graft.inference.requests import GenerationRequest, TokensEvent

LOGGER = logging.getLogger(__name__)


class Batch(Protocol):
    """The methods of `graft.inference.batching.ContinuousBatch` that serving uses."""

    def add(self, request: GenerationRequest) -> None:
        """Let a row enter as soon as a slot is free."""

    def cancel(self, key: Hashable) -> None:
        """End a row."""

    def close(self) -> None:
        """Take no more requests."""

    def add_adapter(self, name: str, folder: Path) -> None:
        """Load an adapter beside the others. Raises: ModelError if it does not fit."""

    def remove_adapter(self, name: str) -> None:
        """Take no more rows with an adapter; free it after those that run."""

    def events(self) -> Iterator[TokensEvent]:
        """Run the model until it is closed and all rows have ended."""


class EngineStoppedError(Exception):
    """The engine has ended, or rejected a row that its reader did not cancel."""


class GrammarError(EngineStoppedError):
    """The grammar of a row was too complex to go on."""


class _Rows:
    """The open rows of one request of the API, and their events."""

    def __init__(self, number: int) -> None:
        self.num_open = number
        self._events: list[TokensEvent] = []
        self._changed = asyncio.Event()
        self._failed = False

    def push(self, event: TokensEvent) -> None:
        self._events.append(event)
        self._changed.set()

    def fail(self) -> None:
        self._failed = True
        self._changed.set()

    async def take(self) -> list[TokensEvent]:
        """All events since the last call, at least one."""
        await self._changed.wait()
        self._changed.clear()
        events, self._events = self._events, []
        rejected = any(event.finish == "cancelled" for event in events)
        if rejected or self._failed and not events:
            raise EngineStoppedError
        if any(event.finish == "failed" for event in events):
            raise GrammarError
        self.num_open -= sum(event.finish is not None for event in events)
        return events


class ServingEngine:
    """Requests of coroutines, run by one thread.

    Args:
        batch: a `ContinuousBatch` that nothing else uses.
    Attributes:
        failure: the error that ended the engine, if any.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._rows: dict[Hashable, _Rows] = {}
        self._lock = threading.Lock()
        self._running: set[Hashable] = set()
        self._waiting: list[TokensEvent] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="engine")
        self._on_failure: Callable[[BaseException], None] = lambda _: None
        self.failure: BaseException | None = None

    @property
    def num_rows(self) -> int:
        """Rows that somebody waits for."""
        return len(self._rows)

    @property
    def num_running(self) -> int:
        """Rows of them that have tokens; the others wait for a slot, or for their
        first token."""
        return len(self._running)

    @property
    def is_running(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive() and self.failure is None

    def start(self, on_failure: Callable[[BaseException], None]) -> None:
        """Start the thread; to be called in the event loop of all streams.

        Args:
            on_failure: called in this loop if the engine ends by an error.
        """
        self._loop, self._on_failure = asyncio.get_running_loop(), on_failure
        self._thread.start()

    async def stop(self) -> None:
        """End the engine after its open rows."""
        self._batch.close()
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)

    async def stream(
        self, requests: Sequence[GenerationRequest]
    ) -> AsyncGenerator[list[TokensEvent], None]:
        """Run the requests; yields new events, several at once if the reader is slow.

        When the iterator is closed or cancelled early, the rows end.
        Raises: EngineStoppedError if the engine ended before the rows, or rejected one.
        """
        if self.failure is not None:
            raise EngineStoppedError
        rows = _Rows(len(requests))
        try:
            for request in requests:
                self._rows[request.key] = rows
                self._batch.add(request)
            while rows.num_open:
                yield await rows.take()
        finally:
            for request in requests:
                self._running.discard(request.key)
                if self._rows.pop(request.key, None) and rows.num_open:
                    self._batch.cancel(request.key)

    async def add_adapter(self, name: str, folder: Path) -> None:
        """Load an adapter while others run. Raises: ModelError if it does not fit."""
        await asyncio.to_thread(self._batch.add_adapter, name, folder)

    async def remove_adapter(self, name: str) -> None:
        """Free an adapter that no more rows will have."""
        await asyncio.to_thread(self._batch.remove_adapter, name)

    def _run(self) -> None:
        """The thread: events of a step reach the event loop together."""
        try:
            for event in self._batch.events():
                with self._lock:
                    self._waiting.append(event)
                    is_first = len(self._waiting) == 1
                if is_first:
                    self._call(self._deliver)
        except BaseException as error:  # pylint: disable=broad-exception-caught
            self.failure = error
            LOGGER.exception("the engine ended")
        self._call(self._fail)

    def _call(self, function: Callable[[], None]) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:  # the loop was closed first
            LOGGER.debug("event after the end of the event loop")

    def _deliver(self) -> None:
        with self._lock:
            events, self._waiting = self._waiting, []
        for event in events:
            if rows := self._rows.get(event.key):
                rows.push(event)
                self._running.add(event.key)
                if event.finish:
                    self._running.remove(event.key)

    def _fail(self) -> None:
        self._deliver()
        for rows in set(self._rows.values()):
            rows.fail()
        if self.failure is not None:
            self._on_failure(self.failure)
