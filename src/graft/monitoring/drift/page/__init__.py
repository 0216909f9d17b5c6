"""A drift report as one HTML page, without scripts or external files."""

from collections.abc import Sequence

import pyarrow as pa

from graft.monitoring.drift.page.plots import plot
from graft.monitoring.drift.report import STATES, DriftReport
from graft.monitoring.drift.stream import Alarm
from graft.monitoring.drift.text import moved_rows, to_sides, to_time, to_times
from graft.pages import environment, numbers, style

NUM_EXAMPLES = 12
TITLES = {
    "tokens": "tokens of the prompt, with the template",
    "chars": "characters",
    "words": "words",
    "lines": "lines",
    "chars_per_token": "characters per token",
    "chars_per_word": "characters per word",
    "digits": "share of digits",
    "punctuation": "share of punctuation",
    "symbols": "share of symbols, as in programs",
    "capitals": "share of capitals",
    "non_ascii": "share of bytes beyond ASCII",
    "personal_data": "personal data, or placeholders of it",
    "language": "likeliest language",
    "script": "script",
    "opening": "first tokens of the prompt (template)",
    "closing": "last tokens of the prompt (template)",
    "ngrams": "tokens (hashed)",
    "bigrams": "pairs of tokens (hashed)",
}


def to_page(
    report: DriftReport, alarms: Sequence[Alarm], rows: pa.Table, name: str
) -> str:
    """The page; equal reports give equal bytes.

    Args:
        report: of these rows.
        alarms: on the stream.
        rows: the requests; their texts are shown if they have any.
        name: of what the requests were compared with.
    """
    templates = environment(__name__)
    templates.filters |= {
        "number": numbers.number,
        "share": numbers.share,
        "time": to_time,
    }
    view = {
        "style": style(),
        "report": report,
        "state": report.state.replace("_", " "),
        "sentence": report.reason or STATES[report.state],
        "name": name,
        "titles": TITLES,
        "plots": {
            one.feature: plot(one) for one in report.features if len(one.bars) > 1
        },
        "sides": {one.feature: to_sides(one) for one in report.features},
        "times": list(to_times(report, alarms, rows)),
        "examples": list(moved_rows(report, rows, NUM_EXAMPLES)),
    }
    return templates.get_template("page.html.jinja").render(view)
