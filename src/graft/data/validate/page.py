"""The validation report as one page of HTML: no script, nothing to fetch."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from graft.pages import style
from graft.pages.axis import Axis
from graft.pages.drawing import HEIGHT, RULER, bars, grid, ruler, svg

NUM_STRATA = 40
"""Classes shown; the others are summed."""
LENGTHS = {"user_chars": "the prompt", "assistant_chars": "the answer"}

_STYLE = """
.verdict { font-weight: 600; } .passed { color: var(--good); }
.failed { color: var(--bad); }
.part { background: var(--tuned); height: .7rem; border-radius: 2px; min-width: 1px; }
.tiles + svg { margin-top: 1.1rem; }
@media (min-width: 44rem) { td.plot { width: 50%; } }
@media (max-width: 44rem) {
  .errors, .errors tbody, .errors tr, .errors tbody th, .errors td { display: block; }
  .errors tbody th, .errors td { border: 0; padding: .15rem 0; }
  .errors tr { border-top: 1px solid var(--line); padding: .6rem 0; }
  .errors tbody th { font-weight: 600; } .errors thead { display: none; }
}
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
        *(
            _section(f"Length of {what} in characters", _lengths(report[key], what))
            for key, what in LENGTHS.items()
        ),
        _section("Classes", _bars(_strata(report["strata"]), "stratum")),
    ]
    head = (
        '<meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
    )
    return (
        f'<!doctype html><html lang="en"><head>{head}<title>Data validation: {word}'
        f"</title><style>{style()}{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>"


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else escape(str(value))


def _tiles(values: Mapping[str, Any]) -> str:
    tiles = (
        f"<div><dt>{name}</dt><dd>{_number(value)}</dd></div>"
        for name, value in values.items()
    )
    return f'<dl class="tiles small">{"".join(tiles)}</dl>'


def _contract(report: Mapping[str, Any]) -> str:
    """Errors by name, or a sentence if there are none."""
    budget = report["budget"]
    allowed = (
        f'<p class="soft">Budget: at least {budget["min_examples"]:,} examples, '
        f'at most {budget["max_errors"]:,} errors '
        f'and {budget["max_leaked"]:,} leaked prompts.</p>'
    )
    counts = {**report["errors"], "leaked": report["num_leaked"]}
    errors = [*report["error_examples"], *report["leaked"]]
    if not errors and not any(counts.values()):
        return f"<p>Every example satisfies the contract; none leaks.</p>{allowed}"
    total = ", ".join(f"{name} {n:,}" for name, n in counts.items() if n)
    rows = "".join(
        f'<tr><th scope="row">{escape(error["check"])}</th>'
        f'<td data-label="where"><code>{escape(error["where"])}</code></td>'
        f'<td data-label="id"><code>{escape(error["id"])}</code></td>'
        f'<td data-label="value">{escape(str(error.get("value", "")))}</td></tr>'
        for error in errors
    )
    return f"<p>{escape(total)}</p>{allowed}" + _table(
        ("error", "where", "id", "value"), "errors", rows
    )


def _pairs(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(name, count) for name, count in counts.items() if count]


def _strata(strata: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    pairs = [(str(item["name"]), int(item["count"])) for item in strata]
    if rest := pairs[NUM_STRATA:]:
        others = (f"{len(rest)} others", sum(count for _, count in rest))
        return [*pairs[:NUM_STRATA], others]
    return pairs


def _bars(pairs: Sequence[tuple[str, int]], name: str) -> str:
    """A table with a bar per row."""
    if not pairs:
        return "<p>No example.</p>"
    total = sum(count for _, count in pairs)
    most = max(count for _, count in pairs)
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        f'<td data-label="examples">{count:,}</td>'
        f'<td data-label="share">{count / total:.1%}</td>'
        f'<td class="plot"><div class="part" style="width:{100 * count / most:.1f}%">'
        "</div></td></tr>"
        for label, count in pairs
    )
    return _table((name, "examples", "share", ""), "numbers", rows)


def _table(head: Sequence[str], kind: str, rows: str) -> str:
    cells = "".join(f'<th scope="col">{name}</th>' for name in head)
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _lengths(facts: Mapping[str, Any], what: str) -> str:
    """Quantiles and a histogram."""
    if not facts["num"]:
        return "<p>No such message.</p>"
    names = ("min", "p5", "median", "mean", "p95", "p99", "max")
    return _tiles({name: facts[name] for name in names}) + _histogram(
        facts["histogram"], what
    )


def _histogram(bins: Sequence[Mapping[str, Any]], what: str) -> str:
    """Bars of one width, but that the last may reach to the end of the axis, and hold
    larger values too."""
    lows, counts = zip(*((float(one["low"]), one["count"]) for one in bins))
    more = bins[-1]["high"] is None
    axis = Axis.over([lows[-1] + bins[0]["high"]])
    edges = [*lows, axis.high if more else float(bins[-1]["high"])]
    title = f"Number of examples by the length of {what}"
    body = grid(axis, 0, HEIGHT) + bars(axis, edges, counts, "tuned", HEIGHT, more)
    body += ruler(axis, HEIGHT, more=more)
    desc = f"{sum(counts):,} lengths from {edges[0]:,.0f} characters on."
    return str(svg(what.split()[-1], title, desc, HEIGHT + RULER, body))
