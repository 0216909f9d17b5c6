"""The report of an evaluation as one HTML page, without scripts or external files."""

from dataclasses import asdict

from graft.evaluation.facts import Facts
from graft.evaluation.page import extremes, texts
from graft.evaluation.page.figures import (
    compare_lengths,
    compare_metrics,
    compare_scores,
)
from graft.evaluation.page.losses import loss_figure
from graft.evaluation.page.plots import SHAPES
from graft.evaluation.page.rows import metric_rows, strata_table
from graft.evaluation.verdicts import comparison_digits, headline
from graft.metrics import METRICS
from graft.pages import environment, numbers, style


def to_page(facts: Facts) -> str:
    """The page; equal facts give equal bytes.

    Strata, distributions and examples are shown for the first metric that could be
    computed.
    """
    templates = environment("graft.evaluation.page")
    templates.filters |= {
        "number": numbers.number,
        "interval": numbers.interval,
        "share": numbers.share,
    }
    templates.globals |= {
        "show": texts.show,
        "is_address": texts.is_address,
        "shapes": SHAPES,
    }
    scores = facts.scores
    view = {
        "facts": facts,
        "style": style(),
        "decoding": asdict(facts.generated.decoding),
        "rows": metric_rows(scores.overall),
        "not_computed": {
            METRICS[name].title: reason for name, reason in scores.not_computed.items()
        },
        "metric_figures": compare_metrics(scores.overall),
        "length_figure": compare_lengths(facts.generated.predictions),
        "loss_figure": loss_figure(facts.curves),
        "first": None,
    }
    if scores.overall:
        name, found = next(iter(scores.overall.items()))
        metric = METRICS[name]
        scored = extremes.score_each(metric, facts.generated.predictions)
        digits = comparison_digits(found)
        view |= {
            "first": metric,
            "digits": digits,
            "headline": headline(metric, found, scores.num_examples),
            "strata": strata_table(metric, scores.strata),
            "score_figure": compare_scores(metric, scored, digits),
            "balance": extremes.weigh(metric, scored),
            "groups": extremes.choose_extremes(metric, scored),
        }
    return templates.get_template("page.html.jinja").render(view)
