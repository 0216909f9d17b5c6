"""What clients send → token ids, by the template that the adapter was trained with."""

from collections.abc import Mapping, Sequence

from graft.data.convert.task import Task
from graft.errors import TemplateError
from graft.inference.open_prompts import encode_open
from graft.prompts import Template
from graft.records import Message, Role
from graft.serving.errors import ApiError, refused
from graft.serving.schemas import ChatMessage


def chat_ids(template: Template, messages: Sequence[ChatMessage]) -> list[int]:
    """Ids of the prompt for the answer to a chat.

    Raises: ApiError if the template has no place for these turns, or no question is
        open.
    """
    if messages[-1].role != "user":
        raise ApiError(
            400,
            "messages: the last message must be the user's, which is answered",
            param=f"messages.{len(messages) - 1}.role",
            code="invalid_value",
        )
    turns = [
        Message(
            role="system" if message.role == "developer" else message.role,
            content=message.text,
        )
        for message in messages
    ]
    return _encode(template, turns, "messages")


def prompt_ids(
    template: Template, prompt: str | Sequence[int], *, opens_document: bool
) -> list[int]:
    """Ids of a raw prompt.

    Args:
        prompt: a text, or token ids, which are taken as they are.
        opens_document: whether the model continues documents, as for the task
            `completion`; otherwise a text is the user's turn.
    Raises: ApiError if it is empty, or contains what the template cannot encode.
    """
    if not prompt:
        raise ApiError(400, "prompt: empty", param="prompt", code="invalid_value")
    if not isinstance(prompt, str):
        if not all(0 <= number < template.vocab_size for number in prompt):
            raise ApiError(
                400,
                f"prompt: token ids are from 0 to {template.vocab_size - 1}",
                param="prompt",
                code="invalid_value",
            )
        return list(prompt)
    role: Role = "assistant" if opens_document else "user"
    return _encode(template, [Message(role=role, content=prompt)], "prompt")


def prompt_fields(task: Task) -> list[str]:
    """The text fields of a task from which its prompts are made, unlike its answers.

    None if its prompts are not made of texts, as those of chats.
    """
    demo = dict(task.demo_row)
    before = task.to_example(demo)[0][:-1]
    found = []
    for name, field in task.fields.items():
        if field.kind == "text" and isinstance(demo.get(name, ""), str):
            changed = demo | {name: f"{demo.get(name, '')} more"}
            if task.to_example(changed)[0][:-1] != before:
                found.append(name)
    return found if any(not task.fields[name].optional for name in found) else []


def task_ids(template: Template, task: Task, fields: Mapping[str, str]) -> list[int]:
    """Ids of the prompt that a task makes of its fields.

    Raises: ApiError if a field is unknown, missing or blank.
    """
    known = prompt_fields(task)
    for name in fields:
        if name not in known:
            raise ApiError(
                400,
                f"{name}: task {task.name} has the fields {', '.join(known)}",
                param=name,
                code="unsupported_field",
            )
    needed = [name for name in known if not task.fields[name].optional]
    for name in needed:
        if not fields.get(name, "").strip():
            raise ApiError(
                400, f"{name}: missing or blank", param=name, code="missing_field"
            )
    answers = {n: v for n, v in task.demo_row.items() if n not in known}
    return _encode(template, task.to_example({**answers, **fields})[0], "fields")


def _encode(template: Template, turns: Sequence[Message], param: str) -> list[int]:
    try:
        return encode_open(template, turns)
    except TemplateError as error:
        raise refused(error, param) from error
