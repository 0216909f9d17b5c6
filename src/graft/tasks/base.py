"""What a task is."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graft.data.convert.fields import Field
from graft.errors import ConfigError
from graft.field_paths import EACH
from graft.records import Message, Role


def spoken(
    turns: Sequence[tuple[Role, str]],
) -> Callable[[Mapping[str, Any]], tuple[list[Message], list[str]]]:
    """The `to_example` of a task whose turns are its fields as they stand."""

    def to_example(fields: Mapping[str, Any]) -> tuple[list[Message], list[str]]:
        messages = [Message(role=role, content=fields[name]) for role, name in turns]
        return messages, further(messages, fields)

    return to_example


def further(messages: Sequence[Message], fields: Mapping[str, Any]) -> list[str]:
    """Gold answers of the field `references` beside that of the conversation."""
    known = messages[-1]["content"]
    return [t for t in dict.fromkeys(fields.get("references", [])) if t != known]


@dataclass(frozen=True)
class Task:
    """How a row of fields becomes a conversation, and how its answers are scored.

    Args:
        name: its name in `task.name`.
        fields: what `data.fields` can map to columns of a source.
        to_example: fields → messages, the last of them the assistant's, and further
            gold answers. Pure; the fields of one form are there, of their kind, and
            not blank. Raises Unfit for a row that cannot be an example.
        metrics: names in `graft.metrics.METRICS` that suit the task.
        demo_row: fields of a row to show and to test the task with.
        forms: fields that stand for each other, as sets of names: a source has all of
            one set. Empty: every field that is not optional.
        turns: who says which field, if `to_example` does no more than this; then
            whole columns are converted at once. Make both by `spoken`.
    """

    name: str
    fields: Mapping[str, Field]
    to_example: Callable[[Mapping[str, Any]], tuple[list[Message], list[str]]]
    metrics: tuple[str, ...]
    demo_row: Mapping[str, Any]
    forms: tuple[tuple[str, ...], ...] = ()
    turns: tuple[tuple[Role, str], ...] = ()

    @property
    def whole_forms(self) -> tuple[tuple[str, ...], ...]:
        """Sets of fields, of which a source must have one."""
        needed = tuple(name for name, f in self.fields.items() if not f.optional)
        return self.forms or (needed,)

    def check_fields(self, mapping: Mapping[str, str]) -> None:
        """Raises: ConfigError if `data.fields` lacks a field or has an unknown one."""
        forms = " or ".join(", ".join(form) for form in self.whole_forms)
        for name in mapping:
            if name not in self.fields:
                near = difflib.get_close_matches(name, self.fields, n=1)
                own = [name for name, f in self.fields.items() if not f.implied]
                raise ConfigError(
                    f"data.fields.{name}",
                    f"task {self.name} has no field {name!r}"
                    + (f"; did you mean {near[0]}?" if near else ""),
                    expected=f"a column for each of {', '.join(own)}",
                    fix="correct fields in configs/data, then: graft params",
                )
            if EACH in mapping[name] and self.fields[name].kind == "text":
                raise ConfigError(
                    f"data.fields.{name}",
                    f"{mapping[name]!r} is a list, and the field is one text",
                    expected=f"an index in place of {EACH}, such as [0]",
                    fix="correct fields in configs/data, then: graft params",
                )
        missing = [[f for f in form if f not in mapping] for form in self.whole_forms]
        if all(missing):
            raise ConfigError(
                "data.fields",
                f"task {self.name} needs {', '.join(sorted(missing, key=len)[0])} too",
                expected=f"a column for each of {forms}",
                fix="add it to fields in configs/data, then: graft params",
            )
