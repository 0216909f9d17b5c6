"""Requests of a batch, sent to a running API."""

import queue
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from time import monotonic

from graft.data.convert.task import Task
from graft.errors import ConfigError, GraftError
from graft.serving.batch.http import NoAnswerError, Reply, send
from graft.serving.batch.requests import BatchRequest, Response
from graft.tasks import get_task

BUSY = {429, 503}
BROKEN = {500, 502, 504}
MOST_TRIES = 5
"""Of a request that breaks the server, or is never done within its deadline."""
LONGEST_WAIT_S = 60.0


class RemoteApi:
    """An API as OpenAI's.

    Args:
        url: without the path /v1.
        key: API key.
        model: what requests name; None: what the API lists.
        concurrency: requests at once.
        patience_s: without any answer, after which the run ends.
        timeout_s: of a single request, without a byte.
        wait: waits for some seconds.
    Raises: ConfigError if the API cannot be reached, or refuses the key.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        model: str | None,
        *,
        concurrency: int,
        patience_s: float,
        timeout_s: float = 600.0,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self._key, self._concurrency = key, concurrency
        self._patience_s, self._timeout_s = patience_s, timeout_s
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._answered_at = monotonic()
        self.model = self._resolve(model)

    @property
    def identity(self) -> Mapping[str, str]:
        """Address and model."""
        return {"url": self.url, "model": self.model}

    def find_task(self) -> Task | None:
        """The task whose fields the API takes, if any."""
        paths = self._request("/openapi.json", None).body.get("paths", {})
        for path in paths:
            _, is_task, name = path.partition("/v1/tasks/")
            if is_task:
                return get_task(name)
        return None

    def complete(
        self, requests: Sequence[BatchRequest], on_done: Callable[[], object]
    ) -> dict[int, Response]:
        """Send requests, several at once.

        Raises: ConfigError if the API does not answer, or refuses all requests.
        """
        self._answered_at = monotonic()
        todo: queue.SimpleQueue[BatchRequest] = queue.SimpleQueue()
        for request in requests:
            todo.put(request)
        done: queue.SimpleQueue[tuple[int, Response] | BaseException]
        done = queue.SimpleQueue()

        def work() -> None:
            try:
                while not self._stopped.is_set():
                    request = todo.get_nowait()
                    done.put((request.number, self._answer(request)))
            except queue.Empty:
                pass
            except BaseException as error:  # pylint: disable=broad-exception-caught
                done.put(error)

        # Daemons: Ctrl-C does not wait for open requests.
        for _ in range(min(self._concurrency, len(requests))):
            threading.Thread(target=work, daemon=True).start()
        responses: dict[int, Response] = {}
        try:
            while len(responses) < len(requests):
                found = done.get()
                if isinstance(found, BaseException):
                    raise found
                responses[found[0]] = found[1]
                on_done()
        except BaseException:
            self._stopped.set()
            raise
        return responses

    def _answer(self, request: BatchRequest) -> Response:
        """The final response to a request."""
        reply = self._request(request.path, request.body)
        is_ours = request.body.get("model") == self.model
        if reply.status == 404 and is_ours:
            raise self._refused(reply, "serve this model again, or use --restart")
        return Response(reply.status, reply.body, reply.request_id)

    def _request(self, path: str, body: Mapping[str, object] | None) -> Reply:
        """The reply to a request, which is sent again while the server is busy, broken
        or away.

        Raises: ConfigError if nothing was answered for too long, or the key is refused.
        """
        num_broken = 0
        for tries in count():
            wait_s = min(LONGEST_WAIT_S, 0.5 * 2 ** min(tries, 10)) * random.uniform(
                0.5, 1
            )
            try:
                reply = send(self.url + path, body, self._key, self._timeout_s)
            except NoAnswerError as error:
                problem = str(error)
            else:
                if reply.status in (401, 403):
                    raise self._refused(reply, "set GRAFT_API_KEY to a valid key")
                late = reply.status == 503 and _code(reply) == "deadline_exceeded"
                num_broken += late or reply.status in BROKEN
                is_over = num_broken >= MOST_TRIES
                if reply.status not in BUSY | BROKEN or is_over:
                    self._answered_at = monotonic()
                    return reply
                problem = f"status {reply.status}"
                wait_s = max(wait_s, reply.retry_after_s or 0.0)
            if monotonic() - self._answered_at > self._patience_s:
                raise ConfigError(
                    self.url,
                    f"no answer for {self._patience_s:g} s: {problem}",
                    expected="an API as of graft serve",
                    fix="start it, then run again: finished shards are kept",
                )
            self._wait(wait_s)
            if self._stopped.is_set():
                break
        raise NoAnswerError("stopped")

    def _resolve(self, model: str | None) -> str:
        """The model, as an unchangeable version NAME/VERSION if the API lists one."""
        reply = self._request("/v1/models", None)
        listed = [entry["id"] for entry in reply.body.get("data", [])]
        if not (model or listed):
            raise self._refused(reply, "name the model: --model NAME")
        name = model or listed[0]
        versions = [one for one in listed if one.startswith(f"{name}/")]
        return versions[0] if len(versions) == 1 else name

    def _refused(self, reply: Reply, fix: str) -> GraftError:
        text = Response(reply.status, reply.body).error or "lists no models"
        return ConfigError(self.url, text, fix=fix)


def _code(reply: Reply) -> object:
    error = reply.body.get("error")
    return error.get("code") if isinstance(error, Mapping) else None
