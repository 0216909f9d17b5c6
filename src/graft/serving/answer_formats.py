"""Answers in the schemas of OpenAI's endpoints, whole and as chunks of a stream."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from graft.serving.answers import Answer, Delta


class AnswerFormat(Protocol):
    """The schema of an endpoint's answers."""

    def whole(self, answer: Answer, created: int) -> dict[str, Any]:
        """The complete answer."""

    def first(self, answer: Answer) -> list[dict[str, Any]]:
        """Choices of the chunks that open a stream."""

    def chunk(self, delta: Delta) -> dict[str, Any]:
        """A choice of a chunk."""

    @property
    def chunk_object(self) -> str:
        """The type of a chunk."""


class ChatFormat:
    """POST /v1/chat/completions."""

    chunk_object = "chat.completion.chunk"

    def whole(self, answer: Answer, created: int) -> dict[str, Any]:
        """The complete answer."""
        choices = [
            {
                "index": choice.index,
                "message": {
                    "role": "assistant",
                    "content": "".join(choice.texts),
                    "refusal": None,
                },
                "logprobs": self._logprobs(answer, choice.logprobs),
                "finish_reason": choice.finish,
                **_guards(choice.guarded.actions),
            }
            for choice in answer.choices
        ]
        return _head(answer, "chat.completion", created) | {
            "choices": choices,
            "usage": answer.usage,
        }

    def first(self, answer: Answer) -> list[dict[str, Any]]:
        """The role of each choice."""
        return [
            {
                "index": choice.index,
                "delta": {"role": "assistant", "content": ""},
                "logprobs": None,
                "finish_reason": None,
            }
            for choice in answer.choices
        ]

    def chunk(self, delta: Delta) -> dict[str, Any]:
        """A choice of a chunk."""
        logs = {"content": delta.logprobs, "refusal": None} if delta.logprobs else None
        return {
            "index": delta.index,
            "delta": {"content": delta.text} if delta.text or not delta.finish else {},
            "logprobs": logs,
            "finish_reason": delta.finish,
            **_guards(delta.actions),
        }

    @staticmethod
    def _logprobs(answer: Answer, logs: Sequence[Any]) -> dict[str, Any] | None:
        asked = answer.job.requests[0].logprobs is not None
        return {"content": list(logs), "refusal": None} if asked else None


class CompletionFormat:
    """POST /v1/completions."""

    chunk_object = "text_completion"

    def whole(self, answer: Answer, created: int) -> dict[str, Any]:
        """The complete answer."""
        choices = [
            {
                "index": choice.index,
                "text": "".join(choice.texts),
                "logprobs": to_legacy(choice.logprobs) if choice.logprobs else None,
                "finish_reason": choice.finish,
                **_guards(choice.guarded.actions),
            }
            for choice in answer.choices
        ]
        return _head(answer, "text_completion", created) | {
            "choices": choices,
            "usage": answer.usage,
        }

    def first(self, answer: Answer) -> list[dict[str, Any]]:
        """Nothing: a text has no role."""
        del answer
        return []

    def chunk(self, delta: Delta) -> dict[str, Any]:
        """A choice of a chunk."""
        return {
            "index": delta.index,
            "text": delta.text,
            "logprobs": (
                to_legacy(delta.logprobs, delta.start) if delta.logprobs else None
            ),
            "finish_reason": delta.finish,
            **_guards(delta.actions),
        }


def to_legacy(
    logs: Sequence[Mapping[str, Any]], length: int = 0
) -> dict[str, list[Any]]:
    """Log-probabilities in the older schema of /v1/completions.

    Args:
        length: characters of the tokens before.
    """
    starts = []
    for entry in logs:
        starts.append(length)
        length += len(entry["token"])
    return {
        "tokens": [entry["token"] for entry in logs],
        "token_logprobs": [entry["logprob"] for entry in logs],
        "top_logprobs": [
            {other["token"]: other["logprob"] for other in entry["top_logprobs"]}
            for entry in logs
        ],
        "text_offset": starts,
    }


def _guards(actions: Mapping[str, int]) -> dict[str, Any]:
    """A field that OpenAI does not have; only where a guard has acted."""
    return {"guards": dict(actions)} if actions else {}


def _head(answer: Answer, kind: str, created: int) -> dict[str, Any]:
    version = answer.job.version
    return {
        "id": answer.job.id,
        "object": kind,
        "created": created,
        "model": version.id,
        "system_fingerprint": version.template.hash,
    }


def to_chunk(
    answer: Answer,
    answer_format: AnswerFormat,
    created: int,
    choices: Sequence[Mapping[str, Any]],
    usage: Mapping[str, int] | None,
    with_usage: bool,
) -> dict[str, Any]:
    """A chunk of a stream; if usage is asked for, it is null in all but the last."""
    chunk = _head(answer, answer_format.chunk_object, created)
    chunk["choices"] = list(choices)
    return chunk | ({"usage": usage} if with_usage else {})
