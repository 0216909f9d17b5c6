"""The validation report as one page of HTML: no script, nothing to fetch."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

NUM_STRATA = 40
"""Classes shown; the others are summed."""

_STYLE = """
:root { --ink: #1d2733; --soft: #5c6b7a; --line: #dfe5eb; --bar: #3f7cac;
  --good: #2f7d4f; --bad: #b23a3a; --paper: #fff; --back: #f5f7f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --soft: #9aa8b5;
  --line: #323c46; --bar: #6aa5d4; --good: #6cc08b; --bad: #e58080;
  --paper: #1b2128; --back: #12161b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); margin: 0;
  background: var(--back); }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { background: var(--paper); border: 1px solid var(--line); margin: 1rem 0;
  border-radius: 8px; padding: 1rem 1.25rem; overflow-x: auto; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
.verdict { font-weight: 600; } .passed { color: var(--good); }
.failed { color: var(--bad); } .soft { color: var(--soft); }
.tiles { display: flex; flex-wrap: wrap; gap: .5rem 2.5rem; }
.tiles b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .2rem .75rem .2rem 0; vertical-align: top; }
th { color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td.bar { width: 50%; } td.bar div { background: var(--bar); height: .7rem;
  border-radius: 2px; min-width: 1px; margin-top: .4rem; }
svg { margin-top: .75rem; } svg rect { fill: var(--bar); } svg text { fill: var(--soft); font-size: 11px; }
code { font-size: .9em; overflow-wrap: anywhere; }
"""


def to_page(report: Mapping[str, Any]) -> str:
    """The report of `Audit.to_report` as HTML."""
    word = "passed" if report["passed"] else "failed"
    tiles = {
        "examples": report["num_examples"],
        "errors": report["num_errors"],
        "leaked prompts": report["num_leaked"],
        "classes": report["num_strata"],
        "largest : smallest class": f"{report['imbalance']:g}",
    }
    parts = [
        f'<h1>Data validation: <span class="verdict {word}">{word}</span></h1>',
        _section("At a glance", _tiles(tiles)),
        _section("Contract", _contract(report)),
        _section("Official splits", _bars(_pairs(report["splits"]), "split")),
        _section(
            "Length of what is asked, in characters", _lengths(report["user_chars"])
        ),
        _section(
            "Length of the answer, in characters", _lengths(report["assistant_chars"])
        ),
        _section("Classes", _bars(_strata(report["strata"]), "stratum")),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return (
        f'<!doctype html><html lang="en"><head>{head}<title>Data validation: {word}'
        f"</title><style>{_STYLE}</style></head><body><main>{''.join(parts)}</main>"
        "</body></html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>"


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else escape(str(value))


def _tiles(values: Mapping[str, Any]) -> str:
    tiles = (
        f'<div><b>{_number(value)}</b><span class="soft">{name}</span></div>'
        for name, value in values.items()
    )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _contract(report: Mapping[str, Any]) -> str:
    """Faults by name, or that there are none."""
    budget = report["budget"]
    allowed = (
        f'<p class="soft">Budget: at least {budget["min_examples"]:,} examples, '
        f'at most {budget["max_errors"]:,} errors '
        f'and {budget["max_leaked"]:,} leaked prompts.</p>'
    )
    counts = {**report["errors"], "leaked": report["num_leaked"]}
    faults = [*report["faults"], *report["leaked"]]
    if not faults and not any(counts.values()):
        return f"<p>Every example keeps the contract; none leaks.</p>{allowed}"
    total = ", ".join(f"{name} {n:,}" for name, n in counts.items() if n)
    rows = "".join(
        f"<tr><td>{escape(fault['check'])}</td>"
        f"<td><code>{escape(fault['where'])}</code></td>"
        f"<td><code>{escape(fault['id'])}</code></td>"
        f"<td>{escape(str(fault.get('value', '')))}</td></tr>"
        for fault in faults
    )
    head = "<tr><th>fault</th><th>where</th><th>id</th><th>value</th></tr>"
    return f"<p>{escape(total)}</p>{allowed}<table>{head}{rows}</table>"


def _pairs(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(name, count) for name, count in counts.items() if count]


def _strata(strata: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    pairs = [(str(item["name"]), int(item["count"])) for item in strata]
    if rest := pairs[NUM_STRATA:]:
        others = (f"{len(rest)} others", sum(count for _, count in rest))
        return [*pairs[:NUM_STRATA], others]
    return pairs


def _bars(pairs: Sequence[tuple[str, int]], name: str) -> str:
    """A table with a bar a line."""
    if not pairs:
        return "<p>No example.</p>"
    total = sum(count for _, count in pairs)
    most = max(count for _, count in pairs)
    rows = "".join(
        f'<tr><td>{escape(label)}</td><td class="n">{count:,}</td>'
        f'<td class="n">{count / total:.1%}</td><td class="bar">'
        f'<div style="width:{100 * count / most:.1f}%"></div></td></tr>'
        for label, count in pairs
    )
    head = f"<tr><th>{name}</th>"
    head += '<th class="n">examples</th><th class="n">share</th>'
    return f"<table>{head}<th></th></tr>{rows}</table>"


def _lengths(facts: Mapping[str, Any]) -> str:
    """Quantiles, and a histogram of bars."""
    if not facts["num"]:
        return "<p>No such message.</p>"
    names = ("min", "p5", "median", "mean", "p95", "p99", "max")
    return _tiles({name: facts[name] for name in names}) + _chart(facts["histogram"])


def _chart(bins: Sequence[Mapping[str, Any]]) -> str:
    width, height = 900 / len(bins), 140
    most = max(item["count"] for item in bins) or 1
    bars = []
    for index, item in enumerate(bins):
        size = height * item["count"] / most
        span = "and more" if item["high"] is None else f"to {item['high'] - 1}"
        bars.append(
            f'<rect x="{index * width:.1f}" y="{height - size:.1f}" '
            f'width="{max(width - 2, 1):.1f}" height="{size:.1f}"><title>{item["low"]} '
            f'{span}: {item["count"]:,}</title></rect>'
        )
        if index % 4 == 0 or item["high"] is None:
            label = f'{item["low"]}{"+" if item["high"] is None else ""}'
            bars.append(f'<text x="{index * width:.1f}" y="158">{label}</text>')
    return f'<svg viewBox="0 0 930 165" role="img">{"".join(bars)}</svg>'
