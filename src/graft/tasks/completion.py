"""Plain completion: texts without prompts, in which every token is trained."""

from graft.data.convert.fields import Field
from graft.data.convert.task import Task
from graft.records import Role
from graft.tasks.conversions import from_turns

TURNS: tuple[tuple[Role, str], ...] = (("assistant", "text"),)

COMPLETION = Task(
    name="completion",
    fields={"text": Field()},
    to_example=from_turns(TURNS),
    turns=TURNS,
    metrics=("perplexity", "bits_per_byte", "distinct_1", "distinct_2", "repetition"),
    demo_row={"text": "The night was cold, and the lamp had gone out."},
)
