"""A request of a load, what a client received, and what it must be."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

BUSY = frozenset({429, 503})
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Received:
    """What a client received.

    Args:
        headers: with names in small letters.
        first_s: from the request to the first bytes of the body.
        seconds: to its end.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    first_s: float
    seconds: float

    @property
    def is_stream(self) -> bool:
        """Whether it is a stream of events."""
        return "text/event-stream" in self.headers.get("content-type", "")

    @cached_property
    def parts(self) -> list[dict[str, Any]]:
        """The JSON object, or those of all events but [DONE]."""
        if not self.is_stream:
            return [json.loads(self.content)]
        events = self.content.decode().split("\n\n")
        assert events.pop() == "", "the stream ends within an event"
        assert all(event.startswith("data: ") for event in events)
        found = [event.removeprefix("data: ") for event in events]
        if found[-1] == "[DONE]":
            found.pop()
        else:
            assert "error" in json.loads(found[-1]), "no [DONE]"
        return [json.loads(event) for event in found]

    @property
    def error(self) -> dict[str, Any]:
        """The error, in OpenAI's schema; empty if there is none."""
        error: dict[str, Any] = self.parts[-1].get("error", {})
        assert not error or set(error) == {"message", "type", "param", "code"}
        return error

    @property
    def outcome(self) -> str:
        """The status; `late` if the deadline ended it."""
        late = self.status in (200, 503) and self.error.get("code") == (
            "deadline_exceeded"
        )
        return "late" if late else str(self.status)


@dataclass
class Text:
    """One completion, put together from the parts of its answer."""

    text: str = ""
    finish: str | None = None
    tokens: list[str] = field(default_factory=list)


def texts_of(received: Received) -> dict[int, Text]:
    """The completions of an answer, by index."""
    texts: dict[int, Text] = {}
    for part in received.parts:
        for choice in part.get("choices", []):
            found = texts.setdefault(choice["index"], Text())
            assert found.finish is None, "something follows finish_reason"
            turn = choice.get("message") or choice.get("delta") or choice
            found.text += turn.get("content") or turn.get("text") or ""
            found.finish = choice["finish_reason"]
            if logs := choice.get("logprobs"):
                chat = logs.get("content")
                tokens = logs["tokens"] if chat is None else [c["token"] for c in chat]
                found.tokens += tokens
    return texts


def only_text(received: Received) -> Text:
    """The completion of an answer with a single one."""
    texts = texts_of(received)
    assert list(texts) == [0]
    return texts[0]


def usage_of(received: Received) -> dict[str, int]:
    """Numbers of tokens, which a stream has in its last part alone."""
    *before, last = received.parts
    assert all(part.get("usage") is None for part in before)
    usage: dict[str, int] = last["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    return usage


@dataclass(frozen=True)
class Call:
    """A request.

    Args:
        check: raises AssertionError if the answer to it is wrong.
        status: of the answer, unless the server is busy.
        may_be_busy: whether 429 and 503 are right, too.
        has_key: whether it is sent with a valid key.
        leaves_after_s: after which the client vanishes.
    """

    path: str
    content: bytes | None
    check: Callable[[Received], None]
    status: int = 200
    may_be_busy: bool = True
    has_key: bool = True
    leaves_after_s: float | None = None

    def examine(self, received: Received) -> None:
        """Raises: AssertionError if the answer is not what it must be."""
        if self.may_be_busy and received.status in BUSY:
            assert int(received.headers["retry-after"]) >= 1
            assert received.error["code"] in {"overloaded", "deadline_exceeded"}
        elif not (self.may_be_busy and received.outcome == "late"):
            message = f"{received.status}, not {self.status}: {received.content!r:.300}"
            assert received.status == self.status, message
            self.check(received)


def post(
    path: str, body: Any, check: Callable[[Received], None], **options: Any
) -> Call:
    """A request with a body of JSON; bytes are sent as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Call(path, content, check, **options)
