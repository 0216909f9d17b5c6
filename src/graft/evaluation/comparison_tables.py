"""Tables of compared variants for the terminal, Markdown and JSON."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from graft.evaluation.card import table
from graft.evaluation.comparison import ComparedRow, Ranking
from graft.evaluation.verdicts import (
    BETTER,
    CHANGED,
    INSIGNIFICANT,
    NEGLIGIBLE,
    WORSE,
    comparison_digits,
    judge,
    with_interval,
)
from graft.io import align
from graft.metrics import Comparison, Metric
from graft.pages.numbers import number
from graft.records import shorten

ABSENT = "–"
Column = tuple[str, Callable[[ComparedRow], str]]
"""A title, and the text of a row."""


def to_text(found: Ranking) -> str:
    """The tables with aligned columns, and the conclusions."""
    blocks = ["\n".join(align(lines)) for lines in _tables(found)]
    return "\n\n".join([*blocks, "\n".join(verdicts(found))]) + "\n"


def to_markdown(found: Ranking) -> str:
    """The same in Markdown."""
    blocks = [table(lines[0], lines[1:]) for lines in _tables(found)]
    conclusions = "\n".join(f"- {line}" for line in verdicts(found))
    return "\n\n".join(["# Variants compared", *blocks, conclusions]) + "\n"


def to_json(found: Ranking) -> dict[str, Any]:
    """The same as numbers; equal predictions give equal bytes except for costs."""
    best, lead = found.best, found.lead
    return {
        "num_examples": found.num_examples,
        "metrics": [metric.name for metric in found.metrics],
        "not_computed": dict(found.not_computed),
        "best": best.name if best else None,
        "best_is_significant": lead.is_significant if lead else None,
        "rows": [_plain(found, row) for row in (*found.bases, *found.variants)],
    }


def verdicts(found: Ranking) -> list[str]:
    """The conclusions from the numbers."""
    kinds = (BETTER, WORSE, CHANGED, NEGLIGIBLE, INSIGNIFICANT)
    marks = ", ".join(f"{verdict.mark} {verdict.text}" for verdict in kinds)
    lines = [
        f"{found.num_examples:,} test examples; 95 % bootstrap intervals",
        f"paired differences: {marks}",
        "not corrected for multiple comparisons: about one in twenty is significant by "
        "chance",
    ]
    lines += [f"{name} not computed: {why}" for name, why in found.not_computed.items()]
    best, lead = found.best, found.lead
    if best is None:
        return [*lines, "no best variant: the first metric is only descriptive"]
    metric = found.metrics[0]
    digits = _digits(found, metric)
    value = with_interval(best.scores[metric.name], digits)
    lines.append(f"best by {metric.title}: {best.name}, {value}")
    gain = best.to_base[metric.name]
    lines.append(f"  its difference to the base: {_difference(metric, gain, digits)}")
    if lead:
        over = f"to the runner-up {found.variants[1].name}"
        lines.append(f"  its difference {over}: {_difference(metric, lead, digits)}")
        if not lead.is_significant:
            lines.append("  another test set might rank the variants differently")
    return lines


def _tables(found: Ranking) -> Iterator[list[list[str]]]:
    """Header and rows of each table: for the first metric with parameters and costs,
    for the others with their values only."""
    name: Column = ("variant", lambda row: row.name)
    params: list[Column] = [(key, partial(_param, key)) for key in found.params]
    costs: list[Column] = [
        ("p50 / p95 ms", _latency),
        ("tokens/s", partial(_cost, "tokens_per_s", 0)),
        ("GiB", partial(_cost, "memory_gib", 2)),
        ("version", _version),
    ]
    first, *others = [_scores(found, m) for m in found.metrics] or [[]]
    for columns in ([name, *params, *first, *costs], *([name, *o] for o in others)):
        yield [
            [title for title, _ in columns],
            *(
                [cell(row) for _, cell in columns]
                for row in (*found.bases, *found.variants)
            ),
        ]


def _scores(found: Ranking, metric: Metric) -> list[Column]:
    """The columns of a metric."""
    digits = _digits(found, metric)

    def change(compared: Mapping[str, Comparison]) -> str:
        if metric.name not in compared:
            return ABSENT
        return _difference(metric, compared[metric.name], digits)

    columns: list[Column] = [
        (metric.title, lambda row: with_interval(row.scores[metric.name], digits)),
        ("to base", lambda row: change(row.to_base)),
    ]
    if (best := found.best) is not None:
        columns.append(
            ("to best", lambda row: "best" if row is best else change(row.to_best))
        )
    return columns


def _digits(found: Ranking, metric: Metric) -> int:
    """Enough digits to show every significant difference of the metric as nonzero."""
    rows = (*found.bases, *found.variants)
    compared = [part for row in rows for part in (row.to_base, row.to_best) if part]
    return max(comparison_digits(part[metric.name]) for part in compared)


def _difference(metric: Metric, found: Comparison, digits: int) -> str:
    value = with_interval(found.difference, digits, "+")
    return f"{value} {judge(metric, found).mark}"


def _param(key: str, row: ComparedRow) -> str:
    params = row.variant.params if row.variant else {}
    return shorten(params.get(key, ABSENT), 40)


def _latency(row: ComparedRow) -> str:
    p50, p95 = (_cost(f"latency_{share}_ms", 0, row) for share in ("p50", "p95"))
    return f"{p50} / {p95}"


def _cost(name: str, digits: int, row: ComparedRow) -> str:
    return number(row.costs[name], digits) if name in row.costs else ABSENT


def _version(row: ComparedRow) -> str:
    if row.variant is None or not row.variant.run_id:
        return ABSENT
    if row.variant.version is None:
        return "not registered"
    return " ".join([row.variant.version, *row.variant.aliases])


def _plain(found: Ranking, row: ComparedRow) -> dict[str, Any]:
    variant = row.variant
    params = variant.params if variant else {}
    return {
        "name": row.name,
        "is_base": variant is None,
        "run_id": variant.run_id if variant else "",
        "version": variant.version if variant else None,
        "aliases": list(variant.aliases) if variant else [],
        "params": {key: params[key] for key in found.params if key in params},
        "scores": {name: asdict(score) for name, score in row.scores.items()},
        "to_base": _changes(row.to_base),
        "to_best": _changes(row.to_best),
        "costs": dict(row.costs),
    }


def _changes(compared: Mapping[str, Comparison]) -> dict[str, Any]:
    return {
        name: {
            "value": part.difference.value,
            "low": part.difference.low,
            "high": part.difference.high,
            "is_significant": part.is_significant,
        }
        for name, part in compared.items()
    }
