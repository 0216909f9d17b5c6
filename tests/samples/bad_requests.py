"""Requests that a server must refuse, and clients that behave badly."""

from collections.abc import Callable
from random import Random
from typing import Any

from load_calls import Call, Received, post

TEXT = "The cat sleeps."
ENDLESS = {"type": "string", "minLength": 5000}
"""A schema whose answers cannot end before the limit of tokens."""


class BadRequests:
    """Makes requests at random.

    Args:
        model: name of the registered model.
        task: of its versions.
        most_tokens: of a prompt with its completion.
        max_bytes: of a body.
    """

    def __init__(
        self, model: str, task: str, most_tokens: int, max_bytes: int, draw: Random
    ) -> None:
        self._model, self._most, self._draw = model, most_tokens, draw
        turn = {"role": "user", "content": TEXT}
        chat, task = "/v1/chat/completions", f"/v1/tasks/{task}"
        xml = {"type": "xml"}
        schema = {"json_schema": {"name": "a", "schema": {"not": {}}}}
        unsure = {"type": "json_schema", **schema}
        wrong: list[tuple[str, Any, str]] = [
            ("/v1/completions", self._body(temperature=3), "temperature"),
            ("/v1/completions", self._body(n=0), "n"),
            ("/v1/completions", self._body(best_of=2), "best_of"),
            (
                "/v1/completions",
                self._body(response_format=xml),
                "response_format.type",
            ),
            (chat, self._body(prompt=None, messages=[turn]), "prompt"),
            (chat, {"model": model, "messages": []}, "messages"),
            (chat, {"model": model}, "messages"),
            (task, {"fields": {"target": TEXT}}, "target"),
            (task, {"fields": {}}, "source"),
            ("/v1/feedback", {"request": "a", "verdict": "fine"}, "verdict"),
        ]
        place = "response_format.json_schema.schema"
        self.kinds: dict[str, Callable[[], Call]] = {
            "unknown field": lambda: self._refused(
                self._body(tempurature=1), 400, "tempurature"
            ),
            "wrong value": lambda: self._named(*draw.choice(wrong)),
            "schema not supported": lambda: self._refused(
                self._body(response_format=unsure), 400, place
            ),
            "malformed JSON": lambda: self._refused(
                draw.choice([b"{", b"", b"\xff\xfe", b'{"model": "\xc3"}', b"[1, 2"]),
                400,
                None,
            ),
            "prompt over the context": lambda: self._refused(
                self._body(prompt=f"{TEXT} " * most_tokens), 400, "prompt"
            ),
            "max_tokens over the context": lambda: self._refused(
                self._body(max_tokens=most_tokens), 400, "max_tokens"
            ),
            "wrong key": lambda: self._refused(self._body(), 401, None, has_key=False),
            "unknown model": lambda: self._refused(
                self._body(model="gpt-4"), 404, "model"
            ),
            "huge body": lambda: self._refused(
                self._body(prompt="a" * 2 * max_bytes), 413, None
            ),
            "client that vanishes": self._vanish,
            "past the deadline": self._endless,
        }

    def _body(self, **fields: Any) -> dict[str, Any]:
        return {"model": self._model, "prompt": TEXT, **fields}

    def _named(self, path: str, body: Any, param: str) -> Call:
        return self._refused(body, 400, param, path=path)

    def _refused(
        self,
        body: Any,
        status: int,
        param: str | None,
        path: str = "/v1/completions",
        **options: Any,
    ) -> Call:
        def check(received: Received) -> None:
            assert received.error["param"] == param, received.error
            assert received.error["message"]

        return post(path, body, check, status=status, may_be_busy=False, **options)

    def _vanish(self) -> Call:
        body = self._body(
            max_tokens=self._most // 2,
            stream=self._draw.random() < 0.5,
            n=self._draw.randint(1, 3),
        )
        seconds = self._draw.choice([0.0, 0.01, 0.1, 0.5])
        return post("/v1/completions", body, _any, leaves_after_s=seconds)

    def _endless(self) -> Call:
        schema = {"name": "endless", "schema": ENDLESS}
        body = self._body(
            max_tokens=self._most - 100,
            stream=self._draw.random() < 0.5,
            response_format={"type": "json_schema", "json_schema": schema},
        )
        return post("/v1/completions", body, _any)


def _any(received: Received) -> None:
    """An answer that came before the client left, or the deadline passed."""
    assert received.parts
