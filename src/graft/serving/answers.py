"""The choices of an answer while they grow, from the events of the engine."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from graft.inference.requests import TokenLogprobs, TokensEvent
from graft.prompts import Template
from graft.serving.jobs import Job

FINISHES = {"stop": "stop", "length": "length", "cancelled": "stop"}


@dataclass
class Choice:
    """One completion while it grows.

    Attributes:
        finish: OpenAI's finish_reason, at the end.
        num_tokens: generated, stop token included.
        last: the last token whose log-probabilities were reported.
    """

    index: int
    texts: list[str] = field(default_factory=list)
    logprobs: list[dict[str, Any]] = field(default_factory=list)
    finish: str | None = None
    num_tokens: int = 0
    last: int | None = None


@dataclass(frozen=True)
class Delta:
    """What is new of a choice."""

    index: int
    text: str
    logprobs: list[dict[str, Any]]
    finish: str | None


class Answer:
    """The choices of a job, from the events of its rows."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._places = {row.key: at for at, row in enumerate(job.requests)}
        self._stops = job.requests[0].stop_ids
        self.choices = [Choice(number) for number in range(len(job.requests))]

    def add(self, events: Iterable[TokensEvent]) -> list[Delta]:
        """Add events; what is new of each choice, several events as one."""
        seen: dict[int, tuple[list[str], list[dict[str, Any]]]] = {}
        for event in events:
            choice = self.choices[self._places[event.key]]
            logs = [
                self._entry(choice, token, found)
                for token, found in zip(event.tokens, event.logprobs)
                if token not in self._stops
            ]
            choice.num_tokens += len(event.tokens)
            choice.texts.append(event.text)
            choice.logprobs += logs
            choice.finish = FINISHES[event.finish] if event.finish else None
            texts, before = seen.setdefault(choice.index, ([], []))
            texts.append(event.text)
            before += logs
        return [
            Delta(index, "".join(texts), logs, self.choices[index].finish)
            for index, (texts, logs) in seen.items()
        ]

    @property
    def usage(self) -> dict[str, int]:
        """Numbers of tokens."""
        written = sum(choice.num_tokens for choice in self.choices)
        return {
            "prompt_tokens": self.job.num_prompt_tokens,
            "completion_tokens": written,
            "total_tokens": self.job.num_prompt_tokens + written,
        }

    def _entry(
        self, choice: Choice, token: int, found: TokenLogprobs
    ) -> dict[str, Any]:
        template, before = self.job.version.template, choice.last
        choice.last = token
        return _token(template, before, token, found.chosen) | {
            "top_logprobs": [
                _token(template, before, other, value) for other, value in found.likely
            ]
        }


def _token(
    template: Template, before: int | None, token: int, logprob: float
) -> dict[str, Any]:
    """A token as text after another token, its bytes if it is whole characters, and
    its log-probability in nats."""
    if before is None:
        text = template.decode([token])
    else:
        text = template.decode([before, token])
        text = text.removeprefix(template.decode([before]))
    whole = "\ufffd" not in text
    return {
        "token": text,
        "logprob": max(logprob, -9999.0),  # JSON has no infinity
        "bytes": list(text.encode()) if whole else None,
    }
