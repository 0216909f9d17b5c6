"""The canary on live traffic: its analysis, and what follows, for `graft canary` and
`graft watch`."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft.config.params import Params
from graft.monitoring.canary.report import CanaryReport
from graft.registry.canary import (
    ALIAS,
    VIA,
    Canary,
    end_canary,
    find_canary,
    start_canary,
)
from graft.registry.decisions import Decision

if TYPE_CHECKING:
    import pyarrow as pa


def step(params: Params, via: str) -> CanaryReport | None:
    """Analyse the present canary once, and act on the verdict.

    Returns: the verdict; None if there is no canary.
    Raises: TrackingError if the registry does not respond.
    """
    now_ms = time.time_ns() // 1_000_000
    canary = find_canary(params.registry, alias_of(params))
    if canary is None:
        return None
    canary = start_canary(params.registry, canary, now_ms)
    report = analyse_log(params, canary, now_ms)
    apply_report(params, report, via)
    return report


def analyse_log(params: Params, canary: Canary, now_ms: int) -> CanaryReport:
    """The verdict on a canary from the request log and its users' ratings; never
    raises."""
    from graft.monitoring.canary.analysis import analyse

    config = params.monitoring.canary
    least = now_ms - int(1000 * config.max_s)
    since_ms = canary.started_ms if canary.started_ms is not None else least
    return analyse(
        lambda: _read_log(params, since_ms),
        lambda: read_ratings(params.monitoring.feedback.folder, since_ms),
        config,
        now_ms=now_ms,
        canary=canary.id,
        champion=canary.champion,
        started_ms=canary.started_ms,
        share=_share_of(params),
    )


def read_ratings(folder: str | None, since_ms: int) -> Mapping[str, bool]:
    """Whether users rated the answer to a request as good, by the request's id; of
    several ratings the last.

    Raises: DataError that names a broken line; StorageError.
    """
    from graft.monitoring.feedback import read_feedback

    if folder is None:
        return {}
    rated = read_feedback(Path(folder), since_ms=since_ms)
    return {one.request: one.verdict == "good" for one in rated}


def apply_report(
    params: Params, report: CanaryReport, via: str = VIA
) -> Decision | None:
    """Act on a verdict. The same verdict again is no second decision.

    Args:
        via: what called, for the decision log.
    Returns: the decision: the end of the canary, or the gate's; None if there is
        nothing to do.
    Raises: TrackingError if the registry does not respond.
    """
    if report.canary is None:
        return None
    version = report.canary.rpartition("/")[2]
    if report.ends:
        return end_canary(
            params.registry,
            version,
            f"{report.state}: {report.reason}",
            checks=[
                _to_check(one, passed=one.verdict != "worse")
                for one in report.metrics
                if one.role == "canary" and one.excess is not None
            ],
            alias=alias_of(params),
            via=via,
        )
    if report.state == "promote" and params.monitoring.canary.promote:
        return _ask_gate(params, version, report, via)
    return None


def alias_of(params: Params) -> str:
    """Alias of the version that the API serves as canary."""
    canary = params.serving.canary
    return canary.alias if canary else ALIAS


def _share_of(params: Params) -> float | None:
    """Share of clients that the canary answers; None if it answers copies, or if
    `serving.canary` is not configured here."""
    canary = params.serving.canary
    return None if canary is None or canary.shadow else canary.share


def _read_log(params: Params, since_ms: int) -> "pa.Table":
    from graft.monitoring.canary.traffic import COLUMNS
    from graft.monitoring.request_log import read_rows

    folder = Path(params.monitoring.request_log.folder or "")
    return read_rows(folder, since_ms=since_ms, columns=COLUMNS)


def _to_check(result: Any, passed: bool) -> dict[str, Any]:
    """A metric as a rule in the decision log."""
    rule = f"canary {result.name}"
    values = {"low": result.low, "high": result.high}
    known = {name: value for name, value in values.items() if value is not None}
    return {"rule": rule, "passed": passed, "found": result.sentence, **known}


def _ask_gate(
    params: Params, version: str, report: CanaryReport, via: str
) -> Decision | None:
    """The gate's decision, with the canary's evidence: it may well refuse."""
    from graft.registry.checks import Check
    from graft.registry.promotion import Promotion

    evidence = [
        Check(f"canary {one.name}", True, one.sentence)
        for one in report.metrics
        if one.verdict == "not_worse"
    ]
    promotion = Promotion(params.registry, params.evaluate, version, via)
    promotion.evidence = evidence
    return promotion.run()
