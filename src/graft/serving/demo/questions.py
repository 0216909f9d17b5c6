"""What users can ask: the fields of a task, or a chat."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graft.data.convert.task import Task
from graft.records import Message
from graft.serving.demo import feedback
from graft.serving.demo.client import TASK_ROUTE, ApiClient, Question
from graft.serving.inputs import prompt_fields
from graft.tasks import TASKS

CHAT = "/v1/chat/completions"
TEXT = "/v1/completions"


@dataclass(frozen=True)
class Form:
    """A way to ask.

    Args:
        name: of the task, `chat` or `text`.
        fields: names of texts to fill in.
        optional: those that may stay empty.
    """

    name: str
    fields: tuple[str, ...]
    optional: frozenset[str] = frozenset()

    @property
    def is_chat(self) -> bool:
        """Whether questions follow each other."""
        return self.name == "chat"

    @property
    def task(self) -> Task | None:
        """The task that makes prompts of the fields, if one does."""
        return TASKS.get(self.name)

    def missing(self, values: Mapping[str, str]) -> list[str]:
        """Fields that must be filled in, and are not."""
        needed = [name for name in self.fields if name not in self.optional]
        return [name for name in needed if not values[name].strip()]

    def to_messages(
        self, values: Mapping[str, str], before: Sequence[Message] = ()
    ) -> list[Message]:
        """The turns of the prompt.

        Args:
            before: earlier turns of a chat.
        """
        if (task := self.task) is None:
            return [*before, Message(role="user", content=values[self.fields[0]])]
        filled = {name: text for name, text in values.items() if text.strip()}
        answers = {n: v for n, v in task.demo_row.items() if n not in self.fields}
        return task.to_example({**answers, **filled})[0][:-1]

    def to_question(
        self, values: Mapping[str, str], messages: Sequence[Message]
    ) -> Question:
        """The request for an answer to these turns."""
        if self.is_chat:
            return Question(CHAT, {"messages": list(messages)})
        if self.task is None:
            return Question(TEXT, {"prompt": values[self.fields[0]]})
        filled = {name: text for name, text in values.items() if text.strip()}
        return Question(f"{TASK_ROUTE}{self.name}", {"fields": filled})


CHAT_FORM = Form("chat", ("message",))
TEXT_FORM = Form(feedback.TEXT, ("text",))


def find_forms(client: ApiClient, model: str) -> list[Form]:
    """The ways to ask an API: the routes of its tasks; without any, a chat if its
    template has a place for several turns, and otherwise a text."""
    if forms := [form for name in client.tasks() if (form := _to_form(name))]:
        return forms
    turns = [("user", "1"), ("assistant", "2"), ("user", "3")]
    chat = {"messages": [{"role": role, "content": text} for role, text in turns]}
    accepted = client.accepts(model, Question(CHAT, chat))
    return [CHAT_FORM if accepted else TEXT_FORM]


def _to_form(name: str) -> Form | None:
    """The form of a task; None if it is unknown here, or no field has to be filled."""
    if (task := TASKS.get(name)) is None:
        return None
    fields = tuple(prompt_fields(task))
    optional = frozenset(field for field in fields if task.fields[field].optional)
    return Form(name, fields, optional) if set(fields) - optional else None
