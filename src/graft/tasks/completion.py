"""Plain completion: a text of the domain, learned as it stands, all tokens of it."""

from graft.data.convert.fields import Field
from graft.records import Role
from graft.tasks.base import Task, spoken

TURNS: tuple[tuple[Role, str], ...] = (("assistant", "text"),)
"""Nobody asks."""

COMPLETION = Task(
    name="completion",
    fields={"text": Field()},
    to_example=spoken(TURNS),
    turns=TURNS,
    metrics=("perplexity", "bits_per_byte", "distinct_1", "distinct_2", "repetition"),
    demo_row={"text": "The night was cold, and the lamp had gone out."},
)
