"""The first rule of the gate: the challenger is significantly better."""

import math

from graft.evaluation.requirements import shown
from graft.metrics.contrast import Contrast
from graft.metrics.exchanges import ExchangeTest
from graft.pages.numbers import digits_of, number
from graft.registry.attempts import Attempt
from graft.registry.checks import Check
from graft.registry.contrasts import settle


def check_gain(contrast: Contrast, least: float, attempt: Attempt, most: int) -> Check:
    """Whether the gain is above `least`, with the confidence of this attempt.

    The lower bound of the paired bootstrap interval must be above `least`, and the
    exchange test must agree.

    Args:
        contrast: of challenger and champion in the metric that decides.
        least: `registry.gate.min_gain`, in the unit of the metric.
        attempt: with its error rate.
        most: bootstrap resamples; if the answer is still open, it is no.
    """
    confidence = attempt.confidence
    is_above, remark = settle(
        contrast, lambda: contrast.is_above(least, confidence), most
    )
    exchanges = contrast.test_exchanges(least, attempt.error_rate)
    agrees = exchanges.side(attempt.error_rate) is True
    passed = is_above and agrees
    low, high = contrast.found.bounds(confidence)
    challenger, champion = contrast.values
    return Check(
        rule="gain",
        passed=passed,
        found=_sentence(contrast, least, confidence, exchanges, remark),
        sufficient="" if passed else _sufficient(contrast, least, confidence, agrees),
        challenger=challenger,
        champion=champion,
        gain=contrast.found.estimate,
        low=low,
        high=high,
        confidence=confidence,
        required=least,
        p_value=exchanges.p_value,
        resampling_error=contrast.resampling_error(confidence),
        num_resamples=len(contrast.found.values),
    )


def _sentence(
    contrast: Contrast,
    least: float,
    confidence: float,
    exchanges: ExchangeTest,
    remark: str,
) -> str:
    challenger, champion = contrast.values
    digits = digits_of([challenger, champion]) + 1
    low, high = contrast.found.bounds(confidence)
    error = contrast.resampling_error(confidence)
    return (
        f"{contrast.metric.title} is {number(challenger, digits)}, the champion's "
        f"{number(champion, digits)}: gain {shown(contrast.found.estimate, least)}, "
        f"{100 * confidence:.4g} % interval {shown(low, least)} to "
        f"{shown(high, least)} (resampling error {error:.2g}), exchange "
        f"test p = {exchanges.p_value:.2g}{remark}"
    )


def _sufficient(
    contrast: Contrast, least: float, confidence: float, agrees: bool
) -> str:
    """The gain, and the number of examples, that would have sufficed with this
    spread."""
    found = contrast.found
    margin = found.estimate - found.bounds(confidence)[0]
    if not margin or not math.isfinite(margin):
        return f"a lower bound above {least:.10g}"
    text = f"a gain above {least + margin:.3g} (a lower bound above {least:.10g})"
    if least < found.estimate <= least + margin:
        share = (margin / (found.estimate - least)) ** 2
        examples = math.ceil(share * len(contrast.groups)) + 1
        text += f", or the same gain on about {examples:,} examples"
    return text if agrees else f"{text}, and an exchange test that agrees"
