"""The choices of an answer while they grow, from the events of the engine."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from graft.inference.requests import TokenLogprobs, TokensEvent
from graft.prompts import Template
from graft.serving.errors import ApiError
from graft.serving.guards.guard import GuardedText, Guards
from graft.serving.jobs import Job

FINISHES = {"stop": "stop", "length": "length", "cancelled": "stop"}
FILTERED = "content_filter"


@dataclass
class Choice:
    """One completion while it grows.

    Attributes:
        guarded: what guards make of its text.
        texts: after the guards.
        finish: OpenAI's finish_reason, at the end.
        num_tokens: generated, stop token included.
        num_chars: of the tokens whose log-probabilities were reported.
        last: the last token whose log-probabilities were reported.
    """

    index: int
    guarded: GuardedText
    texts: list[str] = field(default_factory=list)
    logprobs: list[dict[str, Any]] = field(default_factory=list)
    finish: str | None = None
    num_tokens: int = 0
    num_chars: int = 0
    last: int | None = None


@dataclass(frozen=True)
class Delta:
    """What is new of a choice.

    Args:
        start: characters of the tokens before those of `logprobs`.
        actions: of its guards, at its end.
    """

    index: int
    text: str
    logprobs: list[dict[str, Any]]
    start: int
    finish: str | None
    actions: Mapping[str, int]


class Answer:
    """The choices of a job, from the events of its rows.

    Args:
        guards: of each choice's text.
    Attributes:
        first_token_at: as `perf_counter` counts; None before the first token.
        error: what ended it early, if anything.
    """

    def __init__(self, job: Job, guards: Guards = ()) -> None:
        self.job = job
        self.first_token_at: float | None = None
        self.error: ApiError | None = None
        self._places = {row.key: at for at, row in enumerate(job.requests)}
        self._stops = job.requests[0].stop_ids
        numbers = range(len(job.requests))
        self.choices = [Choice(number, GuardedText(guards)) for number in numbers]

    def add(self, events: Iterable[TokensEvent]) -> list[Delta]:
        """Add events; what is new of each choice, several events as one."""
        if self.first_token_at is None:
            self.first_token_at = perf_counter()
        seen: dict[int, tuple[list[str], list[dict[str, Any]]]] = {}
        for event in events:
            choice = self.choices[self._places[event.key]]
            choice.num_tokens += len(event.tokens)
            if choice.finish:  # a guard has ended it
                continue
            logs = [
                self._entry(choice, token, found)
                for token, found in zip(event.tokens, event.logprobs)
                if token not in self._stops
            ]
            text = choice.guarded.push(event.text, final=event.finish is not None)
            choice.texts.append(text)
            choice.logprobs += logs
            choice.finish = _finish_of(choice, event.finish)
            texts, before = seen.setdefault(choice.index, ([], []))
            texts.append(text)
            before += logs
        return [
            self._delta(self.choices[index], "".join(texts), logs)
            for index, (texts, logs) in seen.items()
        ]

    @staticmethod
    def _delta(choice: Choice, text: str, logs: list[dict[str, Any]]) -> Delta:
        actions = choice.guarded.actions if choice.finish else {}
        start = choice.num_chars
        choice.num_chars += sum(len(entry["token"]) for entry in logs)
        return Delta(choice.index, text, logs, start, choice.finish, actions)

    @property
    def is_done(self) -> bool:
        """Whether no choice needs more tokens."""
        return all(choice.finish for choice in self.choices)

    @property
    def actions(self) -> dict[str, int]:
        """How often each guard has acted on any choice."""
        return dict(sum((Counter(c.guarded.actions) for c in self.choices), Counter()))

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


def _finish_of(choice: Choice, finish: str | None) -> str | None:
    """OpenAI's finish_reason; None: it goes on."""
    if finish is None and not choice.guarded.ended:
        return None
    if choice.guarded.actions or finish is None:
        return FILTERED
    return FINISHES[finish]


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
