"""The definition of a task."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graft.data.convert.fields import Field
from graft.errors import ConfigError
from graft.field_paths import EACH
from graft.records import Message, Role


@dataclass(frozen=True)
class Task:
    """How a row of fields becomes a conversation, and how its answers are scored.

    Args:
        name: its name in `task.name`.
        fields: fields that `data.fields` can map to columns of a source.
        to_example: fields → messages, ending with the assistant's, and other
            references. Pure; the fields of one set are present, of the right kind, and
            not blank. Raises Unfit for a row that cannot be an example.
        metrics: names in `graft.metrics.METRICS` that are suitable for the task.
        demo_row: fields of a row to demonstrate and test the task.
        alternatives: alternative sets of fields, of which a source must have one.
            Empty: all fields that are not optional.
        turns: role and field of each turn, if `to_example` does nothing else; complete
            columns are then converted at once. Create both with `from_turns`.
    """

    name: str
    fields: Mapping[str, Field]
    to_example: Callable[[Mapping[str, Any]], tuple[list[Message], list[str]]]
    metrics: tuple[str, ...]
    demo_row: Mapping[str, Any]
    alternatives: tuple[tuple[str, ...], ...] = ()
    turns: tuple[tuple[Role, str], ...] = ()

    @property
    def field_sets(self) -> tuple[tuple[str, ...], ...]:
        """Sets of fields, of which a source must have one."""
        needed = tuple(name for name, f in self.fields.items() if not f.optional)
        return self.alternatives or (needed,)

    def check_fields(self, mapping: Mapping[str, str]) -> None:
        """Raises: ConfigError if `data.fields` is missing a field or has an unknown
        one."""
        forms = " or ".join(", ".join(form) for form in self.field_sets)
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
                    f"{mapping[name]!r} is a list, but the field is a single text",
                    expected=f"an index in place of {EACH}, such as [0]",
                    fix="correct fields in configs/data, then: graft params",
                )
        missing = [[f for f in form if f not in mapping] for form in self.field_sets]
        if all(missing):
            raise ConfigError(
                "data.fields",
                f"task {self.name} also needs {', '.join(sorted(missing, key=len)[0])}",
                expected=f"a column for each of {forms}",
                fix="add it to fields in configs/data, then: graft params",
            )
