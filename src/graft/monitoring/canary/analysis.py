"""The analysis: requests of both groups → a state, and what it rests on."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from graft.config.monitoring.canary import CanaryAnalysisConfig
from graft.monitoring.canary.judging import judge, needed_evidence
from graft.monitoring.canary.report import CanaryReport, MetricResult, State
from graft.monitoring.canary.sample_ratio import sample_ratio
from graft.monitoring.canary.traffic import Traffic


def analyse(
    rows: pa.Table | Callable[[], pa.Table],
    ratings: Mapping[str, bool] | Callable[[], Mapping[str, bool]],
    config: CanaryAnalysisConfig,
    *,
    now_ms: int,
    canary: str | None = None,
    champion: str | None = None,
    started_ms: int | None = None,
    share: float | None = None,
) -> CanaryReport:
    """Compare a canary with the champion. Never raises: an error is the state `failed`.

    Args:
        rows: of the request log, with `traffic.COLUMNS`; or what reads them, so that
            an error of reading is the analysis's, too.
        ratings: whether users rated a request as good, by its id; or what reads them.
        now_ms: UTC, since 1970.
        canary: NAME/NUMBER; by default that of the canary's last request. Another
            version begins a new comparison.
        champion: by default that of the last request in the group `main`.
        started_ms: when this canary began; requests before are left out. By default
            with its first request.
        share: of clients that the canary should get; None: it is not checked.
    """
    report = CanaryReport("failed", "", False, now_ms, canary=canary, champion=champion)
    if started_ms is not None:
        report = replace(report, elapsed_s=max(0.0, (now_ms - started_ms) / 1000))
    try:
        table = rows() if callable(rows) else rows
        traffic = Traffic.of(table, ratings() if callable(ratings) else ratings)
        report = replace(
            report,
            canary=canary or traffic.latest("canary"),
            champion=champion or traffic.latest("main"),
        )
        since = started_ms if started_ms is not None else 0
        compared = traffic.between(report.canary or "", report.champion or "", since)
        report = _count(report, compared, started_ms)
        with np.errstate(all="ignore"):
            return _decide(report, compared, config, share)
    except Exception as error:  # pylint: disable=broad-exception-caught
        # Whatever fails here must neither promote a canary nor let it go on for ever.
        return _end_late(
            report, "failed", f"{type(error).__name__}: {error}", config.max_s
        )


def _count(
    report: CanaryReport, traffic: Traffic, started_ms: int | None
) -> CanaryReport:
    is_canary = traffic.group == "canary"
    report = replace(
        report,
        num_canary=int(is_canary.sum()),
        num_main=int((~is_canary).sum()),
        clients_canary=_clients(traffic, is_canary),
        clients_main=_clients(traffic, ~is_canary),
        notes=tuple(_notes(traffic)),
    )
    if len(traffic) == 0:
        return report
    first = int(traffic.time_ms.min())
    if started_ms is None:
        report = replace(report, elapsed_s=max(0.0, (report.now_ms - first) / 1000))
    return replace(report, since_ms=first)


def _clients(traffic: Traffic, mask: np.ndarray) -> float:
    """How many clients with equally many requests would say as much (Kish)."""
    counts = np.bincount(traffic.client[mask]).astype(np.float64)
    return float(counts.sum() ** 2 / max((counts**2).sum(), 1.0))


def _notes(traffic: Traffic) -> Iterator[str]:
    if len(traffic) and not traffic.is_known:
        yield (
            "clients are not known: requests are taken as independent, so habits of a "
            "client with many requests may pass for the canary's"
        )


def _decide(
    report: CanaryReport,
    traffic: Traffic,
    config: CanaryAnalysisConfig,
    share: float | None,
) -> CanaryReport:
    number = min(report.num_canary, report.num_main)
    if number == 0:
        missing = "canary" if report.num_canary == 0 else "champion"
        return _end_late(
            report, "no_data", f"the {missing} has answered no request", config.max_s
        )
    metrics = tuple(judge(traffic, config))
    ratio = sample_ratio(traffic, share) if share and share < 1 else None
    report = replace(report, metrics=metrics, sample_ratio=ratio)
    worse = [one for one in metrics if one.verdict == "worse"]
    faults = [one for one in worse if one.role == "canary"]
    if faults:
        return replace(report, state="rollback", reason=_to_text(faults), ends=True)
    if ratio is not None and ratio.evidence >= needed_evidence(config) / math.log(10):
        state: State = "sample_ratio_mismatch"
        return replace(report, state=state, reason=ratio.sentence, ends=True)
    if worse:
        reason = f"the split is broken: {_to_text(worse)}"
        return replace(report, state="inconclusive", reason=reason, ends=True)
    return _judge_healthy(report, config)


def _judge_healthy(report: CanaryReport, config: CanaryAnalysisConfig) -> CanaryReport:
    """The state of a canary that is not surely worse."""
    number = min(report.num_canary, report.num_main)
    clients = min(report.clients_canary, report.clients_main)
    if number < config.min_requests or clients < config.min_clients:
        reason = (
            f"{number} requests of {clients:.1f} clients in the smaller group; "
            f"{config.min_requests} of {config.min_clients} are needed"
        )
        return _end_late(report, "too_little_traffic", reason, config.max_s)
    if report.elapsed_s >= config.max_s:
        return _end_late(report, "inconclusive", "no verdict in time", config.max_s)
    still_open = [one.name for one in report.metrics if one.verdict == "open"]
    if still_open:
        reason = f"not yet sure of {', '.join(still_open)}"
        return replace(report, state="continue", reason=reason)
    reason = "in no metric worse by its margin"
    if not any(one.verdict == "not_worse" for one in report.metrics):
        return replace(report, state="continue", reason="no metric is judged")
    return replace(report, state="promote", reason=reason)


def _end_late(
    report: CanaryReport, state: State, reason: str, max_s: float
) -> CanaryReport:
    """A state that never promotes, which ends the canary after the limit."""
    ends = report.elapsed_s >= max_s
    if ends:
        reason += f"; {max_s:g} s are over"
    return replace(report, state=state, reason=reason, ends=ends)


def _to_text(metrics: Sequence[MetricResult]) -> str:
    return "; ".join(one.sentence for one in metrics)
