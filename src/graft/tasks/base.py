"""What a task is."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graft.errors import ConfigError
from graft.records import Message


@dataclass(frozen=True)
class Task:
    """How a row of fields becomes a conversation, and how its answers are scored.

    Args:
        name: its name in `task.name`.
        fields: what `data.fields` must map to columns of a source; all are text.
        to_example: fields → messages, the last of them the assistant's, and further
            gold answers. Pure; the fields are there and are not blank.
        metrics: names in `graft.metrics.METRICS` that suit the task.
        demo_row: fields of a row to show and to test the task with.
    """

    name: str
    fields: tuple[str, ...]
    to_example: Callable[[Mapping[str, Any]], tuple[list[Message], list[str]]]
    metrics: tuple[str, ...]
    demo_row: Mapping[str, Any]

    def check_fields(self, mapping: Mapping[str, str]) -> None:
        """Raises: ConfigError if `data.fields` lacks a field or has an unknown one."""
        for name in mapping:
            if name not in self.fields:
                near = difflib.get_close_matches(name, self.fields, n=1)
                raise ConfigError(
                    f"data.fields.{name}",
                    f"task {self.name} has no field {name!r}"
                    + (f"; did you mean {near[0]}?" if near else ""),
                    expected=f"a column for each of {', '.join(self.fields)}",
                    fix="correct fields in configs/data, then: graft params",
                )
        if missing := [name for name in self.fields if name not in mapping]:
            raise ConfigError(
                "data.fields",
                f"task {self.name} needs {', '.join(missing)} too",
                expected=f"a column for each of {', '.join(self.fields)}",
                fix="add it to fields in configs/data, then: graft params",
            )
