"""Feedback of users, as JSON Lines that the stage `convert` reads."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graft.monitoring.feedback import Verdict, append_line
from graft.records import Message

TEXT = "text"
"""As `task`: the prompt is the beginning of a document."""
CLOSE = ".,;:!?…)]}'’"
CORRECTIONS, RATINGS = "corrections.jsonl", "ratings.jsonl"


@dataclass(frozen=True)
class Feedback:
    """What a user says about an answer.

    Args:
        version: NAME/NUMBER of what answered.
        task: whose prompt it is; `chat` or `text` without one.
        fields: the fields of the task, as the user filled them in.
        prompt: turns before the answer.
        correction: a better answer.
    """

    version: str
    task: str
    fields: Mapping[str, str]
    prompt: Sequence[Message]
    answer: str
    verdict: Verdict | None = None
    correction: str | None = None

    def to_row(self, time: datetime) -> dict[str, Any]:
        """The line of the file.

        With a correction, `conversation` is the prompt with it, and `document`, if the
        prompt is a text to be continued, both as one text.
        """
        row = {"time": time.isoformat(timespec="seconds"), **asdict(self)}
        if self.correction is not None:
            answer = Message(role="assistant", content=self.correction)
            row["conversation"] = [*self.prompt, answer]
            if self.task == TEXT:
                row["document"] = join(self.prompt[-1]["content"], self.correction)
        return row


def join(text: str, continuation: str) -> str:
    """A text and what follows it, from which the API removes white space around it: a
    space between them, unless there is some, or a mark that stands close to a word."""
    first = continuation[:1]
    is_close = text[-1:].isspace() or first.isspace() or first in CLOSE
    return f"{text}{'' if is_close else ' '}{continuation}"


@dataclass(frozen=True)
class FeedbackFolder:
    """Two files that only grow: corrections are rows to train on, ratings are not.

    Args:
        path: of the folder, which is made when it is needed.
    """

    path: Path

    def add(self, feedback: Feedback) -> None:
        """Add a line. Raises: StorageError."""
        name = RATINGS if feedback.correction is None else CORRECTIONS
        append_line(self.path / name, feedback.to_row(datetime.now(UTC)))
