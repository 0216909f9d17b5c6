"""Translation of a text into another language."""

from graft.data.convert.fields import Field
from graft.data.convert.task import Task
from graft.records import Role
from graft.tasks.conversions import from_turns

TURNS: tuple[tuple[Role, str], ...] = (("user", "source"), ("assistant", "target"))

TRANSLATION = Task(
    name="translation",
    fields={
        "source": Field(),
        "target": Field(),
        "references": Field("texts", optional=True),
    },
    to_example=from_turns(TURNS),
    turns=TURNS,
    metrics=("bleu", "chrf", "bleu_1", "bleu_2", "bleu_3"),
    demo_row={"source": "The cat sleeps.", "target": "Le chat dort."},
)
