"""A review's report in words, for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

NOTHING = "no answer"


def to_text(report: Mapping[str, Any]) -> str:
    """The report as text."""
    return "\n".join([report["sheet"], *_ab(report), *_rating(report["rating"])]) + "\n"


def _ab(report: Mapping[str, Any]) -> Iterator[str]:
    pairs = report["ab"]
    yield ""
    if pairs is None:
        yield "Which answer is better: no responses"
        return
    test = pairs["sign_test"]
    p_value = test["p_value"]
    verdict = "not computed: no pair is decided"
    if p_value is not None:
        verdict = "p < 0.0001" if p_value < 1e-4 else f"p = {p_value:.4f}"
    yield f"Which answer is better: {_count(pairs, 'pairs')}"
    yield f"  tuned wins     {_share(pairs['win_rate'])}, a tie counts half"
    yield (
        f"  sign test      {test['num_wins']} won, {test['num_losses']} lost, "
        f"{test['num_ties']} tied: {verdict}"
    )
    yield f"  agreement      {_agreement(pairs['agreement'])}"
    yield from _missing(pairs)
    yield (
        f"  not shown      {report['num_identical']} of {report['num_predictions']} "
        "predictions, with equal answers"
    )


def _rating(rated: Mapping[str, Any] | None) -> Iterator[str]:
    yield ""
    if rated is None:
        yield "Ratings, 1 to 5: no responses"
        return
    yield f"Ratings, 1 to 5: {_count(rated, 'answers')}"
    for question, row in rated["questions"].items():
        yield f"  {question}"
        for system in ("base", "tuned", "difference"):
            sign = "+" if system == "difference" else ""
            yield f"    {system:<12} {_grade(row[system], sign)}"
        yield f"    agreement    {_agreement(row['agreement'])}"
    yield from _missing(rated)


def _count(part: Mapping[str, Any], items: str) -> str:
    raters = part["num_raters"]
    noun = "rater" if raters == 1 else "raters"
    return f"{part['num_items']} {items}, {raters} {noun}"


def _missing(part: Mapping[str, Any]) -> Iterator[str]:
    for rater, number in part["num_missing"].items():
        if number:
            yield f"  unanswered     {number} by {rater}"


def _share(score: Mapping[str, float] | None) -> str:
    if score is None:
        return NOTHING
    value, low, high = (100 * score[name] for name in ("value", "low", "high"))
    return f"{value:.1f} %   95 % interval {low:.1f} to {high:.1f}"


def _grade(score: Mapping[str, float] | None, sign: str) -> str:
    if score is None:
        return NOTHING
    value, low, high = (f"{score[name]:{sign}.2f}" for name in ("value", "low", "high"))
    return f"{value}   95 % interval {low} to {high}"


def _agreement(found: Mapping[str, Any]) -> str:
    if found["alpha"] is None:
        return f"not computed: {found['reason']}"
    return f"Krippendorff's alpha {found['alpha']:.3f}"
