"""What a rule of the gate answers."""

import math
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One rule, and whether a version keeps it.

    Args:
        rule: its name.
        passed: whether it is kept.
        found: what was found, in words.
        sufficient: what would have sufficed, in words; empty if it passed.
        challenger: value of the challenger.
        champion: value of the champion.
        gain: challenger − champion in the direction that is better.
        low: lower bound of the gain.
        high: upper bound of the gain.
        confidence: of this interval.
        required: the bound that `low` must be above (or `high` must not be below).
        p_value: of the exchange test.
        resampling_error: standard error of `low` by the resampling.
        num_resamples: from which the interval was computed.
    """

    rule: str
    passed: bool
    found: str
    sufficient: str = ""
    challenger: float | None = None
    champion: float | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    required: float | None = None
    p_value: float | None = None
    resampling_error: float | None = None
    num_resamples: int | None = None

    @property
    def sentence(self) -> str:
        """`gain: BLEU is 71.2 …`, and what would have sufficed."""
        needed = f"; would suffice: {self.sufficient}" if self.sufficient else ""
        return f"{self.rule}: {self.found}{needed}"

    def to_json(self) -> dict[str, Any]:
        """The values that it has; JSON has none that are infinite or undefined."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value not in (None, "")
            and not (isinstance(value, float) and not math.isfinite(value))
        }
