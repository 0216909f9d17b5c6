"""Examples to begin with: those of the evaluation, as the model card shows them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graft import io
from graft.errors import GraftError
from graft.serving.demo.questions import Form

MOST_CHARS = 200
MOST_EXAMPLES = 6


def read_samples(path: Path) -> list[str]:
    """Questions of the evaluation's samples, one of each stratum before a second one;
    none if there are no samples."""
    try:
        rows = io.read_json(path)
        asked = [row for row in rows if not row["history"]]
        prompts = [(str(row["stratum"]), str(row["prompt"])) for row in asked]
    except (GraftError, KeyError, TypeError):
        return []
    return _mixed([pair for pair in prompts if len(pair[1]) <= MOST_CHARS])


def _mixed(prompts: Sequence[tuple[str, str]]) -> list[str]:
    seen: dict[str, int] = {}
    ranked = []
    for stratum, prompt in prompts:
        seen[stratum] = seen.get(stratum, 0) + 1
        ranked.append((seen[stratum], prompt))
    return [prompt for _, prompt in sorted(ranked, key=lambda pair: pair[0])]


def to_examples(form: Form, prompts: Sequence[str]) -> list[list[str]]:
    """Values of a form's fields: from the prompts if they are a field of the task, and
    otherwise the task's own example."""
    found = []
    for prompt in dict.fromkeys(prompts):
        values = _fill(form, prompt)
        if form.to_messages(values)[-1]["content"] == prompt:
            found.append(list(values.values()))
    return found[:MOST_EXAMPLES] or _own_example(form)


def _fill(form: Form, prompt: str) -> dict[str, str]:
    first = next(name for name in form.fields if name not in form.optional)
    return {name: prompt if name == first else "" for name in form.fields}


def _own_example(form: Form) -> list[list[str]]:
    if form.task is None:
        return []
    row: Mapping[str, Any] = form.task.demo_row
    return [[str(row.get(name, "")) for name in form.fields]]
