"""Detects a change while requests arrive, without waiting for a window to fill.

Each request gets a conformal p-value per feature: its rank among the reference and the
requests before it, with ties broken at random. As long as all of them are exchangeable,
these are independent and uniform (Vovk et al., Retrain or not retrain: conformal test
martingales for change-point detection, COPA 2021). Bets against that are e-values,
added up as a Shiryaev-Roberts e-detector (Shin, Ramdas & Rinaldo, E-detectors, NEJSDS
2024): while nothing changes, the detector minus the number of requests is a martingale.
The mean over all features is one too, so the mean number of requests until a false
alarm is at least the limit, however the features depend on each other. ADWIN (Bifet &
Gavaldà 2007) has no such bound for several streams.
"""

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from graft.monitoring.drift.counting import CATEGORIES, HASHES, LENGTHS, NUMBERS, Floats
from graft.monitoring.drift.profile import Profile
from graft.monitoring.features import PREFIX

EXPONENTS = np.array([0.35, 0.6, 0.85])
"""Of the bets e·p^(e - 1), whose mean is 1 for uniform p. Low ones win fast against
great changes, high ones surely against small ones; all are played with equal stakes."""

MAX_KNOWN = 100_000
"""Values of a feature; further ones are ranked among them, and not kept."""


@dataclass(frozen=True)
class Alarm:
    """A change.

    Args:
        request: how many requests had arrived, this one included.
        feature: in which the evidence is strongest.
    """

    request: int
    feature: str


class StreamDetector:
    """Raises one alarm, and begins anew after it.

    Args:
        profile: the reference.
        mean_requests: at least so many arrive on average before a false alarm.
        seed: of the random order among equal values.
    """

    def __init__(self, profile: Profile, mean_requests: float, seed: int = 0) -> None:
        names = [*NUMBERS, *CATEGORIES, *HASHES]
        if profile.facts.opens_documents:
            names = [name for name in names if name not in LENGTHS]
        self._scores = {name: _Score(name, profile.rows) for name in names}
        self._limit, self._rng = mean_requests, np.random.default_rng(seed)
        self._evidence = np.zeros(len(names))
        self.num_requests = 0

    @property
    def level(self) -> float:
        """The evidence for a change, as a part of that which raises an alarm."""
        return float(self._evidence.mean() / self._limit)

    def push(self, rows: pa.Table) -> list[Alarm]:
        """The alarms that further requests raise. All rows must have features."""
        if not rows.num_rows:
            return []
        alarms = []
        scores = [score.of(rows) for score in self._scores.values()]
        ties = self._rng.random((rows.num_rows, len(scores)))
        for values, random in zip(zip(*scores, strict=True), ties, strict=True):
            self.num_requests += 1
            ranks = zip(self._scores.values(), values, random, strict=True)
            bets = to_bets(np.array([s.p_value(float(v), r) for s, v, r in ranks]))
            self._evidence = bets * (1 + self._evidence)
            if self._evidence.mean() >= self._limit:
                strongest = list(self._scores)[int(self._evidence.argmax())]
                alarms.append(Alarm(self.num_requests, strongest))
                self._evidence = np.zeros(len(self._scores))
                for score in self._scores.values():
                    score.forget()
        return alarms


def to_bets(p_values: Floats) -> Floats:
    """E-values of p-values, high for p near 0 and near 1. Any shape."""
    ends = np.stack([p_values, 1 - p_values])[..., None]
    bets: Floats = (EXPONENTS * np.maximum(ends, 1e-12) ** (EXPONENTS - 1)).mean(
        axis=(0, -1)
    )
    return bets


class _Score:
    """A number of each row whose rank is tested: the value of a number; of others, how
    rare it is in one half of the reference. Ranks are among the other half then, since
    values are less rare where they were counted."""

    def __init__(self, feature: str, reference: pa.Table) -> None:
        self._feature = feature
        self._column = PREFIX + feature
        self._counts: dict[str, int] = {}
        self._rarity = np.zeros(0)
        if feature not in NUMBERS:
            half = reference.num_rows // 2
            self._count(reference.slice(half)[self._column].combine_chunks())
            reference = reference.slice(0, half)
        self._reference = sorted(self.of(reference).tolist())
        self._known = list(self._reference)

    def _count(self, column: pa.Array) -> None:
        if bits := HASHES.get(self._feature):
            flat = column.flatten() if pa.types.is_list(column.type) else column
            counts = np.bincount(np.asarray(flat), minlength=2**bits) + 0.5
            self._rarity = -np.log(counts / counts.sum())
        else:
            for item in column.value_counts().to_pylist():
                self._counts[item["values"]] = item["counts"]

    def of(self, rows: pa.Table) -> Floats:
        """Shape [rows]."""
        column = rows[self._column].combine_chunks()
        if self._feature in CATEGORIES:
            counts = [-self._counts.get(value, 0) for value in column.to_pylist()]
            return np.array(counts, float)
        if self._rarity.size == 0:
            return np.asarray(column, np.float64)
        if not pa.types.is_list(column.type):
            rarity: Floats = self._rarity[np.asarray(column)]
            return rarity
        lengths = np.asarray(column.value_lengths())
        owner = np.repeat(np.arange(len(lengths)), lengths)
        weights = self._rarity[np.asarray(column.flatten())]
        sums = np.bincount(owner, weights, len(lengths))
        means: Floats = np.round(sums / np.maximum(lengths, 1), 9)
        return means

    def p_value(self, value: float, tie: float) -> float:
        """The rank of a value, 0 to 1, which is then known itself. `tie` is uniform."""
        low = bisect_left(self._known, value)
        high = bisect_right(self._known, value)
        size = len(self._known)
        if size < MAX_KNOWN:
            insort(self._known, value)
        return (size - high + tie * (high - low + 1)) / (size + 1)

    def forget(self) -> None:
        """Begin anew with the reference."""
        self._known = list(self._reference)
