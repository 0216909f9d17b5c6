"""The engine in a process of its own: it shares no interpreter lock with the API, and
if it dies, the API still answers.

Requests and events pass through a pipe between the two processes. Prompts are encoded
on the API's side, tokens are decoded on the engine's.
"""

import gc
import importlib
import logging
import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from graft.errors import GraftError, ModelError
from graft.inference.requests import GenerationRequest, RowTemplate, TokensEvent
from graft.serving.engine import Batch
from graft.serving.event_sender import EventSender

LOGGER = logging.getLogger(__name__)
LOADER = "graft.serving.engine_loader:load_engine"
"""Imported in the engine's process alone: it needs torch."""
LIBRARIES = "graft.models.lean_imports:import_model_libraries"


class EngineProcess:
    """A `Batch` whose model is in another process.

    The process starts at once, so that it imports its libraries while the arguments of
    the loader are still being found.

    Args:
        loader: MODULE:FUNCTION. The function returns a batch, and what decodes its
            tokens; its arguments are given to `start_loading`.
        prepare: MODULE:FUNCTION, called before those arguments are there.
    """

    def __init__(self, loader: str, prepare: str | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._sending = threading.Lock()
        self._replies: queue.Queue[GraftError | None] = queue.Queue()
        self._asking = threading.Lock()
        self._process = context.Process(
            target=run_engine,
            args=(other, loader, prepare),
            daemon=True,
            name="graft-engine",
        )
        self._process.start()
        other.close()  # so that the end of the process is seen

    def start_loading(self, *args: Any) -> None:
        """Begin to load the model; `events` raises an error of the loader."""
        self._send("load", args)

    def add(self, request: GenerationRequest) -> None:
        """Let a row enter as soon as a slot is free."""
        decodes = request.template is not None
        self._send("add", (replace(request, template=None), decodes))

    def cancel(self, key: Hashable) -> None:
        """End a row."""
        self._send("cancel", key)

    def add_adapter(self, name: str, folder: Path) -> None:
        """Load an adapter beside the others. Raises: ModelError if it does not fit."""
        self._ask("add_adapter", (name, folder))

    def remove_adapter(self, name: str) -> None:
        """Take no more rows with an adapter; free it after those that run."""
        self._ask("remove_adapter", (name,))

    def close(self) -> None:
        """Take no more requests."""
        self._send("close", None)

    def events(self) -> Iterator[TokensEvent]:
        """All events until it is closed and all rows have ended.

        Raises: ModelError if the process ended before.
        """
        while True:
            try:
                kind, value = self._receive()
            except ModelError as error:
                self._replies.put(error)
                raise
            if kind == "failed":
                self._replies.put(value)
                raise value
            if kind == "reply":
                self._replies.put(value)
            elif kind == "events":
                yield from value
            else:
                self._process.join()
                return

    def _ask(self, kind: str, args: tuple[Any, ...]) -> None:
        """Call a method of the batch; `events` receives its end.

        Raises: the GraftError that the method raised.
        """
        with self._asking:
            self._send(kind, args)
            if error := self._replies.get():
                raise error

    def _receive(self) -> tuple[str, Any]:
        """The next message. Raises: ModelError if the process has ended."""
        try:
            kind, value = self._pipe.recv()
            return kind, value
        except (EOFError, OSError):
            self._process.join()
            raise self._ended() from None

    def _send(self, kind: str, value: Any) -> None:
        with self._sending:
            try:
                self._pipe.send((kind, value))
            except OSError:  # it ended; `events` raises the error
                pass

    def _ended(self) -> ModelError:
        return ModelError(
            "the engine's process",
            f"ended with status {self._process.exitcode}",
            expected="a process that runs as long as the API",
            fix="read its messages above; -9 means that memory ran out: lower "
            "serving.slots or serving.max_context_tokens",
        )


def start_engine() -> EngineProcess:
    """The process of `load_engine`, which imports its libraries."""
    return EngineProcess(LOADER, LIBRARIES)


def run_engine(pipe: Connection, loader: str, prepare: str | None = None) -> None:
    """The engine's process."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the API decides when it ends
    load = _find(loader)
    if prepare is not None:
        _find(prepare)()
    try:
        _, args = pipe.recv()
        batch, template = load(*args)
    except EOFError:
        return
    except GraftError as error:
        pipe.send(("failed", error))
        return
    gc.collect()
    gc.freeze()  # a full collection would stop all rows to look at the libraries
    sender = EventSender(pipe.send)
    args = (pipe, batch, template, sender)
    threading.Thread(target=_receive, args=args, daemon=True).start()
    for event in batch.events():
        sender.put("event", event)
    sender.close()


def _find(place: str) -> Callable[..., Any]:
    """The function MODULE:FUNCTION."""
    module, _, function = place.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def _receive(
    pipe: Connection, batch: Batch, template: RowTemplate, sender: EventSender
) -> None:
    """Pass on what the API sends."""
    while True:
        try:
            kind, value = pipe.recv()
        except EOFError:  # the API's process has ended
            os._exit(1)
        if kind == "add":
            request, decodes = value
            row = replace(request, template=template if decodes else None)
            try:
                batch.add(row)
            except GraftError as error:  # such as an adapter that has been removed
                LOGGER.error("a row is rejected: %s", error)
                sender.put("event", TokensEvent(row.key, [], [], "", "cancelled"))
        elif kind == "cancel":
            batch.cancel(value)
        elif kind == "close":
            batch.close()
        else:
            problem = None
            try:
                getattr(batch, kind)(*value)
            except GraftError as caught:
                problem = caught
            sender.put("reply", problem)
