"""The model card: base, training, scores and use of an adapter."""

from collections.abc import Sequence

import yaml

from graft.evaluation.card.front_matter import of_hub, to_front_matter
from graft.evaluation.card.limits import limits
from graft.evaluation.card.origins import stage_counts, training_facts
from graft.evaluation.facts import Facts
from graft.evaluation.page.rows import strata_table
from graft.evaluation.verdicts import comparison_digits, judge, with_interval
from graft.metrics import METRICS, Comparison
from graft.pages import environment
from graft.pages.numbers import number
from graft.records import Prediction, shorten

SHOWN_SECTIONS = ("tokenize", "split", "adapter", "quantization", "train")
SHOWN_SAMPLES = 6
SHOWN_TURNS = 4
"""Most recent turns of a conversation shown in a table cell."""
CELL = 300
"""Most characters in a table cell."""


def to_card(facts: Facts) -> str:
    """The card as Markdown with YAML front matter; equal facts give equal bytes."""
    # Markdown: cells are escaped by `table`, not as HTML.
    templates = environment("graft.evaluation.card", autoescape=False)
    templates.filters |= {
        "with_interval": with_interval,
        "repr": repr,
        "inline": inline,
    }
    templates.globals |= {"table": table}
    overall = facts.scores.overall
    first = METRICS[next(iter(overall))] if overall else None
    body = templates.get_template("card.md.jinja").render(
        facts=facts,
        languages=" and ".join(dict.fromkeys(facts.task.languages.values())),
        results=[_result(name, found) for name, found in overall.items()],
        gold=[
            [METRICS[name].title, number(found.gold.value, comparison_digits(found))]
            for name, found in overall.items()
            if found.gold is not None
        ],
        changes=[
            [METRICS[name].title, number(found.relative_change, 1, "+") + " %"]
            for name, found in overall.items()
            if METRICS[name].of == "likelihood" and found.relative_change is not None
        ],
        not_computed=[
            [METRICS[name].title, reason]
            for name, reason in facts.scores.not_computed.items()
        ],
        signatures=[
            [METRICS[name].title, f"`{found.tuned.signature}`"]
            for name, found in overall.items()
        ],
        first=first,
        strata=strata_table(first, facts.scores.strata) if first else None,
        samples=[
            [_conversation(row), row.references[0], row.base, row.tuned]
            for row in facts.samples[:SHOWN_SAMPLES]
        ],
        decoding=_decoding(facts),
        stages=stage_counts(facts.stages),
        training=training_facts(facts.stages.get("train", {}), facts.record.machine),
        parameters=[
            [f"{section}.{key}", f"`{value}`"]
            for section in SHOWN_SECTIONS
            for key, value in facts.params.get(section, {}).items()
            if value is not None
        ],
        limits=limits(facts),
        of_hub=of_hub(facts.model),
    )
    front = yaml.safe_dump(to_front_matter(facts), sort_keys=False, allow_unicode=True)
    return f"---\n{front}---\n\n{body.strip()}\n"


def _result(name: str, found: Comparison) -> list[str]:
    digits = comparison_digits(found)
    return [
        METRICS[name].title,
        with_interval(found.base, digits),
        f"**{with_interval(found.tuned, digits)}**",
        with_interval(found.difference, digits, "+"),
        judge(METRICS[name], found).text,
    ]


def _conversation(row: Prediction) -> str:
    """The prompt with the turns before it, shortened to fit a cell."""
    if not row.history:
        return row.prompt or "(none)"
    turns = [*row.history, {"role": "user", "content": row.prompt}]
    length = CELL // min(len(turns), SHOWN_TURNS) - 16
    shown = [f"{t['role']}: {shorten(t['content'], length)}" for t in turns]
    left_out = len(shown) - SHOWN_TURNS
    if left_out > 0:
        shown[:-SHOWN_TURNS] = [f"({left_out} earlier turns)"]
    return " → ".join(shown)


def _decoding(facts: Facts) -> str:
    decoding = facts.generated.decoding
    if decoding.num_beams > 1:
        how = f"beam search over {decoding.num_beams} beams"
    elif decoding.temperature:
        how = f"sampling at temperature {decoding.temperature}, seed {decoding.seed}"
    else:
        how = "greedy decoding"
    return f"{how}, at most {decoding.max_new_tokens:,} new tokens"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table with escaped cells."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def inline(value: object) -> str:
    """A text as one line of Markdown, with | and < escaped."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")


def _cell(value: object) -> str:
    text = inline(value)
    return (text if len(text) <= CELL else text[: CELL - 1] + "…") or "(empty)"
