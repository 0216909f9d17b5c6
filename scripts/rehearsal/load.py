"""Requests of a few users, one after the other each, and what became of them."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    Args:
        at: when it ended, on the clock `time.monotonic`.
        status: 0: there was no answer.
        version: number of the version that answered; None if unknown.
        text: of the completion, or why there is none.
        id: of the request, if there is an answer.
    """

    at: float
    status: int
    version: str | None
    text: str
    id: str = ""


class Load:
    """Users who send requests until the end of the block.

    `texts`, `resting` (users who send nothing) and `rate` (what a user says about an
    answer: `good`, `bad`, or None for nothing) may be set meanwhile.

    Args:
        url: of the API.
        model: name of the model in requests.
        texts: that are sent, in turn.
        num_users: at once; some are in the canary's share.
        pause_s: of a user between two requests.
    """

    def __init__(
        self, url: str, model: str, texts: Sequence[str], num_users: int, pause_s: float
    ) -> None:
        self._url, self._model = url, model
        self.texts, self._pause_s = list(texts), pause_s
        self.resting: frozenset[str] = frozenset()
        self.rate: Callable[[Answer], str | None] = lambda _: None
        self.users = [f"user {number}" for number in range(num_users)]
        self._answers: list[Answer] = []
        self._lock, self._end = threading.Lock(), threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(user,), daemon=True)
            for user in self.users
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(TIMEOUT_S)

    def answers(self, since: float = 0.0) -> list[Answer]:
        """All answers after a time."""
        with self._lock:
            return [one for one in self._answers if one.at >= since]

    def ask(self, user: str, text: str, **fields: Any) -> Answer:
        """Send one request, with further fields."""
        body = {"model": self._model, "prompt": text, "user": user, "max_tokens": 24}
        body |= fields
        try:
            with self._post("/v1/completions", body) as found:
                answer = json.load(found)
                version = found.headers["x-graft-version"].rpartition("/")[2]
                words = answer["choices"][0]["text"]
                return Answer(
                    time.monotonic(), found.status, version, words, answer["id"]
                )
        except urllib.error.HTTPError as error:
            name = error.headers.get("x-graft-version") or ""
            number = name.rpartition("/")[2] or None
            return Answer(time.monotonic(), error.code, number, error.read().decode())
        except OSError as error:
            return Answer(time.monotonic(), 0, None, str(error))

    def _run(self, user: str) -> None:
        place = hash(user) % 97
        while not self._end.wait(self._pause_s):
            if user in self.resting:
                continue
            place += 1
            answer = self.ask(user, self.texts[place % len(self.texts)])
            with self._lock:
                self._answers.append(answer)
            if answer.id and (verdict := self.rate(answer)):
                body = {"request": answer.id, "verdict": verdict}
                with self._post("/v1/feedback", body):
                    pass

    def _post(self, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            f"{self._url}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        return urllib.request.urlopen(request, timeout=TIMEOUT_S)
