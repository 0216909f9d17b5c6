"""An engine without a model: each row's tokens are those of its prompt, again and
again."""

import os
import queue
import time
from collections.abc import Hashable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from graft.errors import ModelError
from graft.inference.requests import GenerationRequest, OpenRow, TokensEvent


class EchoBatch:
    """A `Batch`. The token 999 ends its process; rows that begin with 1 wait until they
    are cancelled, and those that begin with 2 are rejected."""

    waits, rejects, dies = 1, 2, 999

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.adapters: dict[str, Path] = {}

    def add(self, request: GenerationRequest) -> None:
        if request.prompt[0] == self.rejects:
            raise ModelError("row", "rejected", expected="another", fix="send another")
        self._messages.put(OpenRow(request))

    def cancel(self, key: Hashable) -> None:
        self._messages.put(key)

    def close(self) -> None:
        self._messages.put(None)

    def add_adapter(self, name: str, folder: Path) -> None:
        if not folder.is_dir():
            raise ModelError(str(folder), "no adapter", expected="one", fix="train it")
        self.adapters[name] = folder

    def remove_adapter(self, name: str) -> None:
        del self.adapters[name]

    def events(self) -> Iterator[TokensEvent]:
        waiting: dict[Hashable, OpenRow] = {}
        while (message := self._messages.get()) is not None:
            if not isinstance(message, OpenRow):
                if row := waiting.pop(message, None):
                    yield row.cancel()
                continue
            prompt = message.request.prompt
            if prompt[0] == self.dies:
                os._exit(3)
            if prompt[0] == self.waits:
                waiting[message.request.key] = message
                continue
            for token in cycle(prompt):
                event = message.extend([token])
                yield event
                if event.finish:
                    break


class SteadyEcho(EchoBatch):
    """An `EchoBatch` that answers every prompt."""

    waits = rejects = dies = -1


class SlowEcho(SteadyEcho):
    """A `SteadyEcho` that takes a moment for each token."""

    def events(self) -> Iterator[TokensEvent]:
        for event in super().events():
            time.sleep(0.001)
            yield event


class Letters:
    """A `TokenDecoder` of tokens that are code points."""

    byte_ids: frozenset[int] = frozenset()

    def decode(self, ids: Any) -> str:
        return "".join(map(chr, ids))


def load(problem: str = "") -> tuple[EchoBatch, Letters]:
    if problem:
        raise ModelError("base", problem, expected="a base", fix="train one")
    return EchoBatch(), Letters()
