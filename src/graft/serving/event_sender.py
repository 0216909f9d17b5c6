"""The way of events from the engine's process to the API.

Each event costs both processes time, however many tokens it has. With many rows, those
of one row are therefore merged for a while; its first one and its end never wait.
"""

import queue
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from graft.inference.requests import TokensEvent

MAX_EVENTS_PER_S = 4000
"""Of all rows together: 256 rows send every 64 ms, a single one every token."""


class Outbox:
    """Events that wait to be sent."""

    def __init__(self) -> None:
        self._at_once: list[TokensEvent] = []
        self._later: dict[Hashable, TokensEvent] = {}
        self._open: set[Hashable] = set()
        self._due_s = 0.0

    def add(self, event: TokensEvent) -> None:
        """Add the next event of its row."""
        if before := self._later.pop(event.key, None):
            event = merge(before, event)
        is_first = event.key not in self._open
        if event.finish:
            self._open.discard(event.key)
        else:
            self._open.add(event.key)
        if is_first or event.finish:
            self._at_once.append(event)
        else:
            self._later[event.key] = event

    def take(self, now_s: float) -> list[TokensEvent]:
        """The events to be sent now."""
        events, self._at_once = self._at_once, []
        if self._later and now_s >= self._due_s:
            events += self._later.values()
            self._later = {}
            self._due_s = now_s + len(self._open) / MAX_EVENTS_PER_S
        return events

    def wait_s(self, now_s: float) -> float | None:
        """The time until `take` returns what waits; None if nothing waits."""
        return max(0.0, self._due_s - now_s) if self._later else None


def merge(first: TokensEvent, second: TokensEvent) -> TokensEvent:
    """Two successive events of a row as one."""
    return TokensEvent(
        first.key,
        first.tokens + second.tokens,
        first.logprobs + second.logprobs,
        first.text + second.text,
        second.finish,
    )


class EventSender:
    """Sends messages in a thread of its own.

    Args:
        send: takes a kind and its value, for `events` a list of them.
    """

    def __init__(self, send: Callable[[tuple[str, Any]], None]) -> None:
        self._send = send
        self._waiting: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def put(self, kind: str, value: Any) -> None:
        """Send a message; one of the kind `event` waits for others of its row."""
        self._waiting.put((kind, value))

    def close(self) -> None:
        """Send what waits, then `done`."""
        self.put("done", None)
        self._thread.join()

    def _run(self) -> None:
        outbox, kind = Outbox(), ""
        while kind != "done":
            for kind, value in self._receive(outbox.wait_s(time.monotonic())):
                if kind == "event":
                    outbox.add(value)
                    continue
                if kind == "done":
                    self._send_events(outbox.take(float("inf")))
                self._send((kind, value))
            self._send_events(outbox.take(time.monotonic()))

    def _receive(self, timeout_s: float | None) -> list[tuple[str, Any]]:
        """The messages that wait, or come within the time."""
        try:
            messages = [self._waiting.get(timeout=timeout_s)]
        except queue.Empty:
            return []
        while not self._waiting.empty():
            messages.append(self._waiting.get())
        return messages

    def _send_events(self, events: list[TokensEvent]) -> None:
        if events:
            self._send(("events", events))
