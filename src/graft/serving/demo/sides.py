"""The answers of several versions to the same question, side by side."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from graft.monitoring.feedback import Verdict
from graft.records import Message
from graft.serving.demo.client import ApiClient, Question, RefusedError
from graft.serving.demo.feedback import Feedback

MOST_SIDES = 3


@dataclass
class Side:
    """What one version is asked and answers.

    Attributes:
        model: its name in the request.
        version: NAME/NUMBER of what answered, as soon as it is known.
        before: earlier turns of a chat.
        prompt: turns before the answer, `before` included.
        error: why there is no answer, or no whole one.
        verdict: of the user.
    """

    model: str
    before: list[Message] = field(default_factory=list)
    prompt: list[Message] = field(default_factory=list)
    fields: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    answer: str = ""
    error: str = ""
    verdict: Verdict | None = None

    def ask(self, fields: Mapping[str, str], prompt: Sequence[Message]) -> None:
        """Begin a new question."""
        self.fields, self.prompt = dict(fields), list(prompt)
        self.version = self.answer = self.error = ""
        self.verdict = None

    @property
    def turns(self) -> list[Message]:
        """All turns of a chat until now; a question without an answer is dropped."""
        if not self.answer:
            return self.before
        return [*self.prompt, Message(role="assistant", content=self.answer)]

    def to_feedback(self, task: str, correction: str | None = None) -> Feedback:
        """What the user says about the answer."""
        return Feedback(
            version=self.version,
            task=task,
            fields=self.fields,
            prompt=self.prompt,
            answer=self.answer,
            verdict=self.verdict,
            correction=correction,
        )


def to_label(model: str) -> str:
    """The name of a model for readers: NAME@ALIAS is `alias`, NAME/3 `version 3`."""
    name, _, alias = model.rpartition("@")
    if name:
        return alias
    name, _, number = model.rpartition("/")
    return f"version {number}" if name and number.isdigit() else model


def first_choice(models: Sequence[str]) -> list[str]:
    """Models to compare at first: base, champion and challenger if there are any,
    otherwise the first model."""
    order = ("base", "champion", "challenger")
    found = {to_label(model): model for model in models if "@" in model}
    chosen = [found[label] for label in order if label in found]
    return chosen if len(chosen) > 1 else list(models[:1])


async def stream_all(
    client: ApiClient, sides: Sequence[Side], questions: Sequence[Question]
) -> AsyncGenerator[None, None]:
    """Fill in the answers of all sides at once; yields when some have grown.

    To close the iterator closes all connections. An error of one side is stored with
    it, and the others go on.
    """
    grown = asyncio.Event()

    async def fill(side: Side, question: Question) -> None:
        try:
            async with aclosing(client.stream(side.model, question)) as pieces:
                async for piece in pieces:
                    side.version = piece.version
                    side.answer += piece.text
                    grown.set()
        except RefusedError as error:
            side.error = str(error)
        finally:
            grown.set()

    pairs = zip(sides, questions, strict=True)
    tasks = [asyncio.ensure_future(fill(*pair)) for pair in pairs]
    try:
        while not all(task.done() for task in tasks):
            await grown.wait()
            grown.clear()
            yield
        for task in tasks:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
