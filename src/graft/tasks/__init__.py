"""The tasks, one module each, and their registry."""

from collections.abc import Mapping

from graft.data.convert.task import Task
from graft.errors import ConfigError
from graft.tasks.completion import COMPLETION
from graft.tasks.instruction import INSTRUCTION
from graft.tasks.question_answering import QUESTION_ANSWERING
from graft.tasks.reasoning import REASONING
from graft.tasks.translation import TRANSLATION

__all__ = ["TASKS", "Task", "get_task"]

TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (TRANSLATION, INSTRUCTION, COMPLETION, QUESTION_ANSWERING, REASONING)
}
"""All tasks, by their name in `task.name`."""


def get_task(name: str) -> Task:
    """The task of this name. Raises: ConfigError with the names that exist."""
    if name not in TASKS:
        raise ConfigError(
            "task.name",
            f"unknown task {name!r}",
            expected=f"one of {', '.join(TASKS)}",
            fix="correct the file of configs/task, then: graft params",
        )
    return TASKS[name]
