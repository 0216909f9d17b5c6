"""A window of requests against the profile. Pure: no files, no clock, no randomness."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from graft.config.monitoring import DriftConfig
from graft.monitoring.drift.bars import to_bars
from graft.monitoring.drift.counting import (
    CATEGORIES,
    HASHES,
    LENGTHS,
    NUMBERS,
    Counted,
    Floats,
    count,
)
from graft.monitoring.drift.permutation import NUM_PERMUTATIONS, Tested, permute
from graft.monitoring.drift.profile import Profile
from graft.monitoring.drift.report import DriftReport, FeatureDrift, Moved
from graft.monitoring.drift.statistics import measure
from graft.monitoring.features import FEATURE_SCHEMA, PREFIX, VERSION

USUAL = 0.95
"""Share of the reference whose rows are below the score of a moved row."""


def analyse(
    rows: pa.Table,
    profile: Profile,
    config: DriftConfig,
    permutations: int = NUM_PERMUTATIONS,
) -> DriftReport:
    """Compare the last `window_requests` of these rows with the profile.

    Args:
        rows: of the request log, by time. Rows without features, with those of
            another version of graft, and copies for a shadow are no part of the window.
        config: `monitoring.drift`.
        permutations: of the test. Fewer are faster, and find less.
    """
    places = _usable(rows)[-config.window_requests :]
    size, reference = len(places), profile.rows
    facts = (size, reference.num_rows, profile.facts.num_prompts)
    least = min(config.min_requests, config.window_requests)
    for number, what in zip(facts, ("requests", "rows of the profile"), strict=False):
        if number < least:
            reason = f"{number:,} {what}, of at least {least:,}"
            return DriftReport(
                "too_few_requests", reason, *facts, config.false_alarm_rate
            )
    window = rows.take(places).select(FEATURE_SCHEMA.names).cast(FEATURE_SCHEMA)
    both = pa.concat_tables([window, reference.select(FEATURE_SCHEMA.names)])
    names = [*NUMBERS, *CATEGORIES, *HASHES]
    if profile.facts.opens_documents:
        names = [name for name in names if name not in LENGTHS]
    counted = count(both, names)
    tested = permute(counted, size, config.false_alarm_rate, permutations)
    features = _to_features(counted, tested, both, size)
    ranked = sorted(features, key=lambda one: (one.p_value, -one.statistic))
    drifted = any(one.drifted for one in ranked)
    return DriftReport(
        "drifted" if drifted else "no_drift",
        "",
        *facts,
        config.false_alarm_rate,
        float(tested.p_values.min()),
        tuple(ranked),
        _moved(counted, features, places),
    )


def thin(rows: pa.Table, take_every: int) -> pa.Table:
    """Every so many of the rows that can be part of a window, the last one included."""
    places = _usable(rows)
    return rows.take(places[(len(places) - 1) % take_every :: take_every])


def usable_rows(rows: pa.Table) -> pa.Table:
    """The rows that can be part of a window, with the columns of features alone."""
    chosen = rows.take(_usable(rows)).select(FEATURE_SCHEMA.names)
    return chosen.cast(FEATURE_SCHEMA)


def usable_times(rows: pa.Table) -> list[int]:
    """When the usable rows arrived, in milliseconds since 1970; empty if rows have no
    times, as those of a file of prompts."""
    if "time_ms" not in rows.column_names:
        return []
    times: list[int] = rows["time_ms"].take(_usable(rows)).to_pylist()
    return times


def _usable(rows: pa.Table) -> npt.NDArray[np.int64]:
    """Indices of rows that are part of a window."""
    good = pc.is_valid(rows[FEATURE_SCHEMA.names[0]])
    if "features_version" in rows.column_names:
        same = pc.fill_null(pc.equal(rows["features_version"], VERSION), False)
        good = pc.and_(good, same)
    if "group" in rows.column_names:
        shadow = pc.fill_null(pc.equal(rows["group"], "shadow"), False)
        good = pc.and_(good, pc.invert(shadow))
    found: npt.NDArray[np.int64] = np.flatnonzero(good.to_numpy())
    return found


def _to_features(
    counted: Counted, tested: Tested, both: pa.Table, size: int
) -> list[FeatureDrift]:
    inside, outside = _sides(counted, size)
    found = []
    for place, bins in enumerate(counted.bins):
        sides = inside[bins.columns], outside[bins.columns]
        distances = measure(bins, *sides)
        values, means = None, None
        if bins.is_ordered:
            values = both[PREFIX + bins.feature].to_numpy().astype(float)
            means = float(values[size:].mean()), float(values[:size].mean())
        found.append(
            FeatureDrift(
                bins.feature,
                "ks" if bins.is_ordered else "jensen_shannon",
                float(tested.statistics[place]),
                float(tested.thresholds[place]),
                float(tested.p_values[place]),
                bool(tested.statistics[place] > tested.thresholds[place]),
                distances.psi,
                distances.p_value,
                means,
                to_bars(bins, *sides, values, size),
            )
        )
    return found


def _sides(counted: Counted, size: int) -> tuple[Floats, Floats]:
    """Counts in the window and in the reference. Shapes [bins of all features]."""
    counts = counted.counts.astype(float)
    return counts[:size].sum(axis=0), counts[size:].sum(axis=0)


def _moved(
    counted: Counted, features: list[FeatureDrift], places: npt.NDArray[np.int64]
) -> tuple[Moved, ...]:
    """Scores by naive Bayes over the drifted features. A row is left out of the counts
    that it is compared with; each bin has half a count more (Krichevsky and Trofimov
    1981)."""
    size = len(places)
    inside, outside = _sides(counted, size)
    scores = np.zeros(counted.counts.shape[0])
    num_drifted = sum(one.drifted for one in features)
    for bins, feature in zip(counted.bins, features, strict=True):
        if feature.drifted:
            part = counted.counts[:, bins.columns].astype(float).tocoo()
            rows, columns, own = part.row, part.col, part.data
            new = inside[bins.columns][columns] - own * (rows < size) + 0.5
            old = outside[bins.columns][columns] - own * (rows >= size) + 0.5
            ratios = own * (np.log(new) - np.log(old))
            totals = np.maximum(part.sum(axis=1), 1)
            scores += np.bincount(rows, ratios, len(scores)) / totals / num_drifted
    limit = np.quantile(scores[size:], USUAL) if num_drifted else np.inf
    scores += np.log((len(scores) - size) / size)
    limit += np.log((len(scores) - size) / size)
    order = np.argsort(-scores[:size], kind="stable")
    return tuple(
        Moved(int(places[i]), float(scores[i])) for i in order if scores[i] > limit
    )
