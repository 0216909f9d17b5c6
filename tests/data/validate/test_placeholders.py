"""Unfilled placeholders are found in the text of turns and nowhere else."""

import pytest
from translation_pairs import pair

from graft.config import ValidateConfig
from graft.data.columns import from_lines
from graft.data.validate.audit import Audit, held_out_prompts
from graft.records import EXAMPLE_SCHEMA


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Dear {{name}}, hello", "{{name}}"),
        ("{{ user.first_name }} x", "{{ user.first_name }}"),
        ("a {{- été -}} {{b}}", "{{- été -}}"),
        ("{{ user['name'] | title }}", "{{ user['name'] | title }}"),
        ("{{#if paid}} x", "{{#if paid}}"),
        ("Dear [Your Name],", "[Your Name]"),
        ("on <insert date here>", "<insert date here>"),
        ("press [Insert] on your [own] board, x_{{i,j}}", None),
        ("{{}} and { {x} } and {x}", None),
        ("{% if x %}", None),
    ],
)
def test_an_unfilled_placeholder_is_reported_and_kept(
    text: str, place: str | None
) -> None:
    lines = [pair("Hi.", "Ho.", 1), pair(text, "Ho.", 2), pair("Hi!", text, 3)]
    tools = [{"role": "tools", "content": "{{name}}"}, *pair("Hi?", "Ho.")["messages"]]
    lines.append(pair(None, "", 4, messages=tools))
    table = from_lines([line | {"group": "g"} for line in lines], EXAMPLE_SCHEMA)
    config = ValidateConfig(min_examples=1, max_errors=0, max_leaked=0, num_shown=1)
    audit = Audit(config, held_out_prompts([table]))
    audit.add(table)
    facts = audit.to_report([table])
    assert facts["passed"]
    assert facts["num_unfilled"] == (2 if place else 0)
    assert [(f["where"], f["place"]) for f in facts["unfilled"]] == (
        [("f:2", place)] if place else []
    )
