"""Outputs of an evaluation: a folder, a report, and entries in the tracking run and
the registry."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft import io
from graft.evaluation.card import to_card
from graft.evaluation.digests import digest_answers, digest_test_set
from graft.evaluation.example_table import to_example_table
from graft.evaluation.facts import Facts
from graft.evaluation.page import to_page
from graft.evaluation.page.losses import to_image
from graft.evaluation.scoring import (
    SYSTEMS,
    of_system,
    to_report,
    values,
)
from graft.evaluation.verdicts import comparison_digits, judge, with_interval
from graft.metrics import METRICS, get_metrics
from graft.models.file_digests import file_digests

if TYPE_CHECKING:
    from graft.tracking import Run

SAMPLES, CARD, PAGE = "samples.json", "README.md", "report.html"
EXAMPLES = "examples.json"
LOSSES = "loss.svg"
DRIFT = "drift"
"""Artifact folder of the run with the profile of the training prompts."""
MAX_SHOWN = 8
"""Most metrics of a task in the columns of `dvc exp show`."""


def write_outputs(
    out: Path,
    report: Path,
    metrics: Path,
    facts: Facts,
) -> None:
    """Write report, DVC's metrics, and in `out` the samples, card, page and table."""
    examples = to_example_table(
        facts.generated.predictions, get_metrics(list(facts.scores.overall))
    )
    with io.atomic(out) as partial:
        partial.mkdir()
        io.write_json(partial / SAMPLES, [asdict(row) for row in facts.samples])
        io.write_json(partial / EXAMPLES, examples)
        io.write_text(partial / CARD, to_card(facts))
        io.write_text(partial / PAGE, to_page(facts))
        io.write_text(partial / LOSSES, to_image(facts.curves))
    io.write_json(report, to_report(facts.scores) | facts.requirements.to_report())
    io.write_json(metrics, to_columns(facts))


def log_outputs(
    tracked: "Run", folders: Sequence[Path], report: Path, facts: Facts
) -> None:
    """Log metrics, report and the folders of completions and pages to the tracking
    run, in which the table of examples is shown."""
    status = facts.requirements.status
    tracked.set_tags({"device": facts.generated.device, "requirements": status})
    tracked.record("params", facts.settings)
    tracked.log_metrics(to_metrics(facts))
    tracked.log_artifact(report, "reports")
    for folder in folders:
        tracked.log_artifact(folder)
    tables = [f"{one.name}/{EXAMPLES}" for one in folders if (one / EXAMPLES).exists()]
    tracked.mark_tables(tables)


def to_columns(facts: Facts) -> dict[str, Any]:
    """The main results, as columns of `dvc exp show`.

    The task's first metric for base, tuned and difference, the others for the tuned
    model; everything else is in the report.
    """
    scores = facts.scores.overall
    first = dict(list(scores.items())[:1])
    shown = dict(list(scores.items())[:MAX_SHOWN])
    rejects = (
        stage.get("num_rejected", stage.get("counts", {}).get("rejects", 0))
        for stage in facts.stages.values()
    )
    return {
        "base": values(first, "base"),
        "tuned": values(shown, "tuned"),
        "difference": values(first, "difference"),
        "requirements": facts.requirements.status,
        "tokens_per_s": round(facts.generated.costs["tuned"].tokens_per_s, 1),
        "examples": dict(facts.counts),
        "rejects": sum(rejects),
    }


def to_metrics(facts: Facts) -> dict[str, float]:
    """Quality, speed and memory, by their names in the tracking run."""
    found = {
        f"{system}/{name}": score.value
        for system in SYSTEMS
        for name, score in of_system(facts.scores.overall, system).items()
    }
    for system, cost in facts.generated.costs.items():
        found[f"{system}/tokens_per_s"] = cost.tokens_per_s
        found[f"{system}/prompt_ms"] = cost.prompt_ms
    for system, wait in facts.generated.latency.items():
        found[f"{system}/latency_p50_ms"] = wait.p50_ms
        found[f"{system}/latency_p95_ms"] = wait.p95_ms
        found[f"{system}/first_token_ms"] = wait.first_token_ms
        found[f"{system}/single_tokens_per_s"] = wait.tokens_per_s
    memory = {
        "memory_gib": facts.generated.memory_gib,
        "rss_gib": facts.generated.rss_gib,
    }
    return found | {f"evaluate/{name}": value for name, value in memory.items()}


def to_summary(facts: Facts, version: str | None, out: Path) -> str:
    """The last lines of the stage: scores, the registered version, where to look."""
    generated = facts.generated
    costs = ", ".join(
        f"{system} {cost.tokens_per_s:,.0f}" for system, cost in generated.costs.items()
    )
    memory = f"at most {generated.memory_gib:.2f} GiB ({generated.device})"
    state = f"version {version}" if version else "not registered yet"
    required = facts.requirements
    lines = [
        *_first_metric(facts),
        f"speed  {costs} tokens/s, {memory}",
        f"model  {facts.name} {state}, requirements: {required.status}",
        f"see    {out / PAGE}, {out / CARD}, or: dvc metrics show, graft ui",
    ]
    return "\n".join(lines)


def _first_metric(facts: Facts) -> list[str]:
    for name, found in facts.scores.overall.items():
        title, digits = METRICS[name].title, comparison_digits(found)
        return [
            f"base   {title} {with_interval(found.base, digits)}",
            f"tuned  {title} {with_interval(found.tuned, digits)}, difference "
            f"{with_interval(found.difference, digits, '+')}: "
            f"{judge(METRICS[name], found).text}",
        ]
    return ["score  none: no metric of the task could be computed"]


def version_tags(facts: Facts) -> dict[str, str]:
    """Tags that identify a registered version: base, data, variant and scores."""
    adapter = facts.params["adapter"]
    shown = ["method"] if facts.is_full else ["method", "rank", "alpha"]
    tags = {
        "base": facts.digests["base model"],
        "template_hash": facts.digests["prompt template"],
        "data": str(facts.data["name"]),
        "requirements": facts.requirements.status,
        "test_set": digest_test_set(facts.generated.predictions),
        "answers": digest_answers(facts.generated.predictions),
        **{f"adapter.{key}": str(adapter[key]) for key in shown},
    }
    for name, found in facts.scores.overall.items():
        digits = comparison_digits(found)
        tags[f"tuned.{name}"] = with_interval(found.tuned, digits)
    return tags


def evaluation_key(facts: Facts) -> str:
    """A key that is equal for the same adapter and evaluation, whatever the
    requirements."""
    inputs = [
        dict(facts.digests),
        asdict(facts.generated.decoding),
        facts.scores.num_examples,
    ]
    return io.digest(json.dumps(inputs, sort_keys=True).encode())


def model_settings(facts: Facts, adapter: Path) -> dict[str, Any]:
    """The settings of the registered model: the decoding that was evaluated, and the
    digests of the files that were."""
    tokenizer = facts.stages.get("tokenize", {}).get("tokenizer_files", {})
    return {
        "decoding": asdict(facts.generated.decoding),
        "files": file_digests(adapter),
        "tokenizer_files": tokenizer,
    }
