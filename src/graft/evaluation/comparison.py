"""Compare variants of one model, with paired differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from graft.evaluation.scoring import not_computed, to_segments
from graft.evaluation.variants import Variant, differing
from graft.metrics import Comparison, Metric, Segments, resample
from graft.metrics.bootstrap import Measured, Resamples, measure
from graft.metrics.comparing import difference
from graft.records import Score

COSTS = ("latency_p50_ms", "latency_p95_ms", "tokens_per_s")


@dataclass(frozen=True)
class ComparedRow:
    """A model in the table: a base or a variant.

    `to_base` is empty for a base. `to_best` compares with the best variant; it is empty
    for the best variant, and if there is none.
    """

    name: str
    variant: Variant | None
    costs: Mapping[str, float]
    scores: Mapping[str, Score]
    to_base: Mapping[str, Comparison]
    to_best: Mapping[str, Comparison]


@dataclass(frozen=True)
class Ranking:
    """Bases, then variants from best to worst.

    Args:
        metrics: the computed ones; the first one ranks.
        params: names of parameters in which the variants differ.
        not_computed: metric → reason.
        decides: whether the first metric defines which values are better.
    """

    num_examples: int
    metrics: Sequence[Metric]
    params: Sequence[str]
    bases: Sequence[ComparedRow]
    variants: Sequence[ComparedRow]
    not_computed: Mapping[str, str]
    decides: bool

    @property
    def best(self) -> ComparedRow | None:
        """The best by the first metric."""
        return self.variants[0] if self.decides else None

    @property
    def lead(self) -> Comparison | None:
        """Difference from the runner-up to the best, by the first metric."""
        if not self.decides or len(self.variants) < 2:
            return None
        second = self.variants[1].to_best[self.metrics[0].name]
        low, high = -second.difference.high, -second.difference.low
        gap = Score(-second.difference.value, low, high)
        return replace(second, base=second.tuned, tuned=second.base, difference=gap)


ByMetric = Mapping[str, Measured]
"""All metrics of a system."""


@dataclass(frozen=True)
class _Scorer:
    """Measures all systems on the same resamples of the test examples."""

    metrics: Sequence[Metric]
    draws: Resamples
    min_differences: Mapping[str, float]

    def measure(self, segments: Segments) -> ByMetric:
        """All metrics of one system."""
        counted = {m.statistics: m.statistics(segments) for m in self.metrics}
        found = {}
        for metric in self.metrics:
            terms, signature = counted[metric.statistics]
            found[metric.name] = measure(metric.value, terms, self.draws, signature)
        return found

    def compare(self, base: ByMetric, tuned: ByMetric) -> dict[str, Comparison]:
        """Paired differences tuned − base, by metric of the base."""
        return {
            name: difference(
                one, tuned[name], self.draws, self.min_differences.get(name, 0.0)
            )
            for name, one in base.items()
        }


def compare_variants(
    variants: Sequence[Variant],
    metrics: Sequence[Metric],
    *,
    num_resamples: int,
    seed: int,
    min_differences: Mapping[str, float],
) -> Ranking:
    """Score all variants and their bases on the same resamples.

    Args:
        variants: with the same test examples in the same order; at least one.
        metrics: in the task's order; the first one that can be computed ranks.
        min_differences: smallest relevant difference, by metric.
    """
    predictions = [row for variant in variants for row in variant.predictions]
    uncomputed = not_computed(predictions, metrics)
    metrics = [metric for metric in metrics if metric.name not in uncomputed]
    first = to_segments(variants[0].predictions, "tuned")
    draws = resample(len(first.completions), num_resamples, seed, first.groups)
    scorer = _Scorer(metrics, draws, min_differences)
    tuned = {
        variant.name: scorer.measure(to_segments(variant.predictions, "tuned"))
        for variant in variants
    }
    decides = bool(metrics) and metrics[0].better != "neither"
    order = _ranked(variants, tuned, metrics[0]) if decides else variants
    best = tuned[order[0].name] if decides else {}
    bases: list[ComparedRow] = []
    base_of: dict[str, ByMetric] = {}
    groups = _by_base(variants)
    for group in groups:
        base = scorer.measure(to_segments(group[0].predictions, "base"))
        base_of |= {variant.name: base for variant in group}
        names = ", ".join(variant.name for variant in group)
        name = "base" if len(groups) == 1 else f"base of {names}"
        costs = _costs(group[0], "base")
        to_best = scorer.compare(best, base)
        bases.append(ComparedRow(name, None, costs, _scores(base), {}, to_best))
    rows = [
        ComparedRow(
            name=variant.name,
            variant=variant,
            costs=_costs(variant, "tuned"),
            scores=_scores(tuned[variant.name]),
            to_base=scorer.compare(base_of[variant.name], tuned[variant.name]),
            to_best=scorer.compare(best, tuned[variant.name]) if number else {},
        )
        for number, variant in enumerate(order)
    ]
    return Ranking(
        num_examples=len(variants[0].predictions),
        metrics=metrics,
        params=differing(variants),
        bases=bases,
        variants=rows,
        not_computed=uncomputed,
        decides=decides,
    )


def _ranked(
    variants: Sequence[Variant], measured: Mapping[str, ByMetric], metric: Metric
) -> list[Variant]:
    """From best to worst; equal ones in their original order."""
    sign = 1 if metric.better == "lower" else -1
    return sorted(
        variants, key=lambda v: sign * measured[v.name][metric.name].score.value
    )


def _by_base(variants: Sequence[Variant]) -> list[list[Variant]]:
    """Variants, grouped by equal completions of their bases."""
    groups: dict[tuple[str, ...], list[Variant]] = {}
    for variant in variants:
        completions = tuple(row.base for row in variant.predictions)
        groups.setdefault(completions, []).append(variant)
    return list(groups.values())


def _scores(measured: ByMetric) -> dict[str, Score]:
    return {name: found.score for name, found in measured.items()}


def _costs(variant: Variant, system: str) -> dict[str, float]:
    """Latency, speed and memory. Memory was measured with base and adapter together."""
    names = {name: f"{system}/{name}" for name in COSTS}
    if system == "tuned":
        names["memory_gib"] = "evaluate/memory_gib"
    return {
        name: variant.metrics[key]
        for name, key in names.items()
        if key in variant.metrics
    }
