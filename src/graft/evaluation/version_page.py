"""The description of a registered version, which MLflow shows on its page."""

from collections.abc import Iterator

from graft.evaluation.facts import Facts
from graft.evaluation.verdicts import comparison_digits, headline, judge, with_interval
from graft.metrics import METRICS

STATUS = {"passed": "all met", "failed": "not met", "none": "none configured"}


def to_description(facts: Facts) -> str:
    """Headline, scores with intervals, requirements and origin, as Markdown.

    The tracking store adds links, as only it contains the run's address.
    """
    return "\n\n".join(_paragraphs(facts))


def _paragraphs(facts: Facts) -> Iterator[str]:
    kind = "Full fine-tuning" if facts.is_full else "LoRA adapter"
    overall = facts.scores.overall
    for name, found in list(overall.items())[:1]:
        yield f"**{headline(METRICS[name], found, facts.scores.num_examples)}**"
    if overall:
        lines = ["| metric | base | tuned [95 %] | difference [95 %] | verdict |"]
        lines.append("|---|---|---|---|---|")
        for name, found in overall.items():
            digits = comparison_digits(found)
            cells = [
                METRICS[name].title,
                with_interval(found.base, digits),
                f"**{with_interval(found.tuned, digits)}**",
                with_interval(found.difference, digits, "+"),
                judge(METRICS[name], found).text,
            ]
            lines.append(f"| {' | '.join(cells)} |")
        yield "\n".join(lines)
    required = facts.requirements
    lines = [f"Requirements: **{STATUS[required.status]}**"]
    for check in required.checks:
        mark = "" if check.is_met else "**not met:** "
        lines.append(f"- {mark}{check.sentence}")
    yield "\n".join(lines)
    license_ = f" (license {facts.data['license']})" if facts.data["license"] else ""
    yield (
        f"{kind} of `{facts.model.path}` (revision `{facts.model.revision}`) for "
        f"{facts.task.name.replace('_', ' ')}, trained on "
        f"{facts.counts['train']:,} sequences of `{facts.data['name']}`{license_}."
    )
