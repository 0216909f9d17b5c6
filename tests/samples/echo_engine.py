"""An engine without a model: each row's tokens are those of its prompt."""

import os
import queue
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

from graft.errors import ModelError
from graft.inference.requests import GenerationRequest, OpenRow, TokensEvent


class EchoBatch:
    """A `Batch`. The token 999 ends its process; rows that begin with 1 wait until they
    are cancelled, and those that begin with 2 are rejected."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.adapters: dict[str, Path] = {}

    def add(self, request: GenerationRequest) -> None:
        if request.prompt[0] == 2:
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
            if prompt[0] == 999:
                os._exit(3)
            if prompt[0] == 1:
                waiting[message.request.key] = message
                continue
            for token in prompt:
                event = message.extend([token])
                yield event
                if event.finish:
                    break


class Letters:
    """A `TokenDecoder` of tokens that are code points."""

    byte_ids: frozenset[int] = frozenset()

    def decode(self, ids: Any) -> str:
        return "".join(map(chr, ids))


def load(problem: str = "") -> tuple[EchoBatch, Letters]:
    if problem:
        raise ModelError("base", problem, expected="a base", fix="train one")
    return EchoBatch(), Letters()
