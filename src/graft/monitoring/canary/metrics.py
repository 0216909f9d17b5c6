"""What is compared of a canary: a metric is worse if it is higher, or if it is lower.

Errors count for all requests that a version was to answer, qualities of completions for
completed ones. A value that a row lacks is NaN, and is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from graft.monitoring.canary.comparison import Kind
from graft.monitoring.canary.evidence import Array
from graft.monitoring.canary.traffic import Traffic

REPETITIVE = 0.5
"""Part of a completion's n-grams that occurred before, from which it is repetitive."""
Role = Literal["canary", "split"]
"""A property of versions, or of prompts, which both groups should have alike."""


@dataclass(frozen=True)
class Metric:
    """One metric of each request.

    Args:
        name: also of its margin in `monitoring.canary.margins`.
        meaning: for people.
        values: of each request, NaN where there is none: 0 or 1 for a rate, or the
            logarithm.
        covariate: by which values are adjusted, such as the length of the prompt.
        sign: -1 if less is worse.
    """

    name: str
    meaning: str
    kind: Kind
    values: Callable[[Traffic], Array]
    covariate: Callable[[Traffic], Array] | None = None
    sign: Literal[1, -1] = 1
    role: Role = "canary"

    @property
    def is_length(self) -> bool:
        """Whether the logarithm is that of one more than the value."""
        return self.values in (_prompt, _length)


def _outcome(*outcomes: str) -> Callable[[Traffic], Array]:
    return lambda traffic: np.isin(traffic.outcome, outcomes).astype(np.float64)


def _completed(values: Callable[[Traffic], Array]) -> Callable[[Traffic], Array]:
    """Only of requests that were completed."""
    return lambda t: np.where(t.outcome == "completed", values(t), np.nan)


def _log(values: Callable[[Traffic], Array]) -> Callable[[Traffic], Array]:
    """Logarithms; NaN for what is not above 0, such as the time of a clock set back."""

    def logs(traffic: Traffic) -> Array:
        found = values(traffic)
        is_valid = np.isfinite(found) & (found > 0)
        return np.asarray(np.log(np.where(is_valid, found, np.nan)))

    return logs


def _prompt(traffic: Traffic) -> Array:
    return np.asarray(np.log1p(traffic.num_prompt_tokens))


def _completion(traffic: Traffic) -> Array:
    return np.asarray(np.log1p(traffic.num_completion_tokens))


def _language(traffic: Traffic) -> Array:
    """Whether a prompt is in the most frequent language of both groups together."""
    known = traffic.language != ""
    names, counts = np.unique(traffic.language[known], return_counts=True)
    most = names[counts.argmax()] if len(names) else ""
    return np.where(known, (traffic.language == most).astype(np.float64), np.nan)


def _above(
    values: Callable[[Traffic], Array], least: float
) -> Callable[[Traffic], Array]:
    def rates(traffic: Traffic) -> Array:
        found = values(traffic)
        return np.where(np.isnan(found), np.nan, (found >= least).astype(np.float64))

    return rates


_length = _completed(_completion)
METRICS = (
    Metric(
        "errors", "failed, or past the deadline", "rate", _outcome("failed", "deadline")
    ),
    Metric("client_errors", "refused as invalid", "rate", _outcome("client_error")),
    Metric("abandoned", "the client left", "rate", _outcome("client_gone")),
    Metric(
        "guarded", "a guard acted", "rate", _completed(_above(lambda t: t.guards, 1.0))
    ),
    Metric(
        "truncated",
        "ended by the limit of tokens",
        "rate",
        _completed(lambda t: t.truncated),
    ),
    Metric(
        "refusals",
        "declined to answer",
        "rate",
        _completed(_above(lambda t: t.refusals, 1.0)),
    ),
    Metric(
        "repetitive",
        "repeats itself",
        "rate",
        _completed(_above(lambda t: t.repetition, REPETITIVE)),
    ),
    Metric("bad_ratings", "rated as bad, of rated ones", "rate", lambda t: t.is_bad),
    Metric(
        "first_token",
        "time to the first token",
        "log",
        _completed(_log(lambda t: t.first_token_s)),
        _prompt,
    ),
    Metric(
        "per_token", "time per token", "log", _completed(_log(lambda t: t.s_per_token))
    ),
    Metric(
        "duration",
        "duration at equal lengths",
        "log",
        _completed(_log(lambda t: t.duration_s)),
        _completion,
    ),
    Metric("longer", "length of the completion", "log", _length, _prompt),
    Metric("shorter", "length of the completion", "log", _length, _prompt, sign=-1),
    Metric("prompts_longer", "length of the prompt", "log", _prompt, role="split"),
    Metric(
        "prompts_shorter", "length of the prompt", "log", _prompt, None, -1, "split"
    ),
    Metric(
        "language_more", "prompts in the main language", "rate", _language, role="split"
    ),
    Metric(
        "language_less",
        "prompts in the main language",
        "rate",
        _language,
        None,
        -1,
        "split",
    ),
)
