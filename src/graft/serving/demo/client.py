"""The API as the demo uses it: what is served, and answers as streams."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx

from graft.errors import ConfigError

TASK_ROUTE = "/v1/tasks/"
_TIMEOUT = httpx.Timeout(10.0, read=None)  # the API has a deadline of its own


class RefusedError(Exception):
    """The API answers a request with an error, or not at all."""


@dataclass(frozen=True)
class Question:
    """A request for an answer.

    Args:
        path: of the route.
        body: of the request, without `model` and `stream`.
    """

    path: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Piece:
    """What is new of an answer.

    Args:
        version: NAME/NUMBER of what answers.
    """

    version: str
    text: str


@dataclass(frozen=True)
class ApiClient:
    """A client of an API as OpenAI's.

    Args:
        url: without `/v1`.
        key: for an API that has keys.
    """

    url: str
    key: str | None = None

    def models(self) -> list[str]:
        """Values for `model`. Raises: ConfigError if no API answers at the address."""
        try:
            found = httpx.get(f"{self.url}/v1/models", headers=self._headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._no_api(str(error)) from error
        if found.status_code in (401, 403):
            raise ConfigError(
                "GRAFT_API_KEY",
                f"{self.url} refuses this key" if self.key else "is not set",
                expected="a key of the API",
                fix="export GRAFT_API_KEY=KEY",
            )
        try:
            models = found.raise_for_status().json()["data"]
            names = [str(model["id"]) for model in models]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise self._no_api(f"GET /v1/models: {found.status_code}") from error
        if not names:
            raise self._no_api("it serves no model")
        return names

    def tasks(self) -> list[str]:
        """Tasks with a route of their own; none if the API is not graft's."""
        try:
            found = httpx.get(f"{self.url}/openapi.json", headers=self._headers)
            paths = found.raise_for_status().json()["paths"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return []
        return [p.removeprefix(TASK_ROUTE) for p in paths if p.startswith(TASK_ROUTE)]

    def accepts(self, model: str, question: Question) -> bool:
        """Whether the API can answer such a question. One token is generated.

        Raises: ConfigError if no API answers at the address.
        """
        body = {**question.body, "model": model, "max_tokens": 1}
        url = f"{self.url}{question.path}"
        try:
            found = httpx.post(url, json=body, headers=self._headers, timeout=60)
        except httpx.HTTPError as error:
            raise self._no_api(str(error)) from error
        return found.status_code not in (400, 404, 405, 422)

    async def stream(
        self, model: str, question: Question
    ) -> AsyncGenerator[Piece, None]:
        """The answer of a model. To close the iterator closes the connection, and the
        API then frees the slot.

        Raises: RefusedError with the message of the API.
        """
        body = {**question.body, "model": model, "stream": True}
        url = f"{self.url}{question.path}"
        try:
            async with (
                httpx.AsyncClient(headers=self._headers, timeout=_TIMEOUT) as client,
                client.stream("POST", url, json=body) as response,
            ):
                if response.status_code != 200:
                    raise _refused(await response.aread(), response.status_code)
                async with aclosing(_events(response)) as events:
                    async for event in events:
                        yield _piece(event, model)
        except httpx.HTTPError as error:
            raise RefusedError(
                f"{self.url}: {error or type(error).__name__}"
            ) from error

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"} if self.key else {}

    def _no_api(self, problem: str) -> ConfigError:
        return ConfigError(
            f"--url {self.url}",
            f"no API answers: {problem}",
            expected="the address of a running API",
            fix="start it in another terminal: graft serve",
        )


async def _events(response: httpx.Response) -> AsyncGenerator[Mapping[str, Any], None]:
    """Server-sent events until `[DONE]`. Raises: RefusedError for one with an error,
    or if the stream ends without `[DONE]`."""
    async for line in response.aiter_lines():
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            return
        if line.startswith("data:"):
            event = json.loads(data)
            if "error" in event:
                raise _refused(data.encode(), response.status_code)
            yield event
    raise RefusedError("the answer was cut off")


def _piece(event: Mapping[str, Any], model: str) -> Piece:
    """What a chunk of a chat or of a text adds."""
    text = ""
    for choice in event.get("choices", []):
        text += choice.get("text") or choice.get("delta", {}).get("content") or ""
    return Piece(event.get("model", model), text)


def _refused(content: bytes, status: int) -> RefusedError:
    try:
        return RefusedError(json.loads(content)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return RefusedError(f"the API answered with status {status}")
