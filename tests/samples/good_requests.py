"""Requests that a server must answer, and what it must answer to them."""

import json
from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Any

from load_calls import Call, Received, only_text, post, texts_of, usage_of
from offline_answers import OfflineAnswer, OfflineAnswers

SHORT = [
    "The cat sleeps.",
    "It is late.",
    "We bought a house.",
    "naïve 👩‍👩‍👧 שלום é",
]
LONG = [f"{text} " * 25 + f"{text}" for text in ("The dog runs.", "She reads a book.")]
FULL = None
LIMITS = [1, 7, FULL]
CAT = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "legs": {"type": "integer", "minimum": 0, "maximum": 9},
    },
    "required": ["name", "legs"],
    "additionalProperties": False,
}


class GoodRequests:
    """Makes requests at random.

    Args:
        model: name of the registered model.
        task: of its versions.
    """

    def __init__(
        self, model: str, task: str, offline: OfflineAnswers, draw: Random
    ) -> None:
        self._model, self._task = model, task
        self._offline, self._draw = offline, draw
        self._sampled: dict[Any, list[str]] = {}
        self._answered: deque[tuple[str, str]] = deque(maxlen=100)
        self.kinds = {
            "short prompt": lambda: self._text([draw.choice(SHORT)]),
            "long prompt": lambda: self._text([draw.choice(LONG)]),
            "list of prompts": lambda: self._text(draw.sample(SHORT + LONG, 3)),
            "chat": self._chat,
            "task": self._task_row,
            "n > 1": lambda: self._text([draw.choice(SHORT)], n=draw.randint(2, 4)),
            "sampled with a seed": self._sample,
            "stop text": self._stop,
            "log-probabilities": self._logprobs,
            "JSON": self._json,
            "token ids": self._ids,
            "a version by its name": self._named,
            "feedback": self._feedback,
        }

    def _text(self, prompts: Sequence[str], n: int = 1, **fields: Any) -> Call:
        limit = self._draw.choice(LIMITS)
        sent = prompts[0] if len(prompts) == 1 else list(prompts)
        body = {"model": self._model, "prompt": sent, "n": n, "max_tokens": limit}
        return self._greedy("/v1/completions", body | fields, prompts, n)

    def _chat(self) -> Call:
        text, limit = self._draw.choice(SHORT + LONG), self._draw.choice(LIMITS)
        field = self._draw.choice(["max_tokens", "max_completion_tokens"])
        turns = [{"role": "user", "content": text}]
        body = {"model": self._model, "messages": turns, field: limit}
        return self._greedy("/v1/chat/completions", body, [text])

    def _task_row(self) -> Call:
        text, limit = self._draw.choice(SHORT), self._draw.choice(LIMITS)
        body = {"fields": {"source": text}, "max_tokens": limit}
        return self._greedy(f"/v1/tasks/{self._task}", body, [text])

    def _ids(self) -> Call:
        text = self._draw.choice(SHORT + LONG)
        ids = list(self._offline.of(self._offline.names[0], text, FULL).prompt)
        return self._greedy("/v1/completions", self._plain(ids), [text])

    def _named(self) -> Call:
        text, name = self._draw.choice(SHORT), f"{self._model}@champion"
        body = self._plain(text) | {"model": name}
        return self._greedy("/v1/completions", body, [text])

    def _plain(self, prompt: Any) -> dict[str, Any]:
        return {"model": self._model, "prompt": prompt}

    def _streamed(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body, half of the times for a stream."""
        if self._draw.random() < 0.5:
            return body
        return {**body, "stream": True, "stream_options": {"include_usage": True}}

    def _greedy(
        self, path: str, body: dict[str, Any], prompts: Sequence[str], n: int = 1
    ) -> Call:
        """A request whose answers are those of the same prompts offline."""
        limit = body.get("max_tokens") or body.get("max_completion_tokens")

        def check(received: Received) -> None:
            expected = [
                answer
                for answer in self._expected(received, prompts, limit)
                for _ in range(n)
            ]
            texts = texts_of(received)
            found = [texts[number].text for number in range(len(texts))]
            assert found == [answer.text for answer in expected]
            usage = usage_of(received)
            written = sum(answer.num_tokens for answer in expected)
            assert usage["completion_tokens"] == written
            read = sum(len(answer.prompt) for answer in expected) // n
            assert usage["prompt_tokens"] == read
            number = received.parts[0]["id"]
            self._answered.append((number, received.parts[0]["model"]))

        return post(path, self._streamed(body), check)

    def _expected(
        self, received: Received, prompts: Sequence[str], limit: int | None
    ) -> list[OfflineAnswer]:
        version = received.headers["x-graft-version"]
        assert {part["model"] for part in received.parts} == {version}
        return [self._offline.of(version, prompt, limit) for prompt in prompts]

    def _sample(self) -> Call:
        text, seed = self._draw.choice(SHORT), self._draw.randrange(4)
        body = self._plain(text) | {"n": 2, "temperature": 1.0, "top_p": 0.9}

        def check(received: Received) -> None:
            version = received.headers["x-graft-version"]
            found = [one.text for _, one in sorted(texts_of(received).items())]
            assert found == self._sampled.setdefault((version, text, seed), found)

        return post("/v1/completions", self._streamed({**body, "seed": seed}), check)

    def _stop(self) -> Call:
        text = self._draw.choice(SHORT)
        full = self._offline.of(self._draw.choice(self._offline.names), text, FULL).text
        place = self._draw.randrange(max(len(full) - 3, 1))
        stop = full[place : place + 3].strip() or "."

        def check(received: Received) -> None:
            (whole,) = self._expected(received, [text], FULL)
            found = only_text(received)
            before, end, _ = whole.text.partition(stop)
            assert found.text == (before.rstrip() if end else before)
            assert usage_of(received)["completion_tokens"] <= whole.num_tokens

        body = self._streamed(self._plain(text) | {"stop": [stop]})
        return post("/v1/completions", body, check)

    def _logprobs(self) -> Call:
        text = self._draw.choice(SHORT)

        def check(received: Received) -> None:
            (whole,) = self._expected(received, [text], FULL)
            found = only_text(received)
            assert found.text == whole.text
            written = usage_of(received)["completion_tokens"]
            assert written == whole.num_tokens
            # The token that ends a turn has no text.
            assert written - len(found.tokens) in (0, found.finish == "stop")

        if self._draw.random() < 0.5:
            body = self._streamed(self._plain(text) | {"logprobs": 2})
            return post("/v1/completions", body, check)
        turns = [{"role": "user", "content": text}]
        body = {"model": self._model, "messages": turns, "logprobs": True}
        return post("/v1/chat/completions", self._streamed(body), check)

    def _json(self) -> Call:
        schema = {"name": "cat", "schema": CAT}
        wanted = self._draw.choice(
            [
                {"type": "json_object"},
                {"type": "json_schema", "json_schema": schema},
            ]
        )

        def check(received: Received) -> None:
            found = only_text(received)
            if found.finish == "stop":
                value = json.loads(found.text)
                is_cat = set(value) == {"name", "legs"} and value["legs"] in range(10)
                assert is_cat or wanted["type"] == "json_object"

        body = self._plain(self._draw.choice(SHORT)) | {"response_format": wanted}
        return post("/v1/completions", self._streamed(body), check)

    def _feedback(self) -> Call:
        if not self._answered:
            return self._text([SHORT[0]])
        number, version = self._draw.choice(self._answered)

        def check(received: Received) -> None:
            assert received.parts[0]["version"] == version

        body = {"request": number, "verdict": self._draw.choice(["good", "bad"])}
        return post("/v1/feedback", body, check, may_be_busy=False)
