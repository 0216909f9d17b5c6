"""`graft canary`: compare the challenger with the champion on live traffic."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft.config.monitoring import CanaryAnalysisConfig
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


def run(params: Params, *, apply: bool = False, json: bool = False) -> Any:
    """Show whether the challenger is worse than the champion on live traffic, from the
    request log: the state, its reason, and each metric with its interval.

    Args:
        apply: act on it. A canary that is worse, or whose time is over, is ended: it
            loses the alias challenger, and the decision log says why. One that may be
            promoted is handed to the gate if monitoring.canary.promote is true.
        json: print one JSON document instead of text.
    """
    from graft.monitoring.canary.text import to_text
    from graft.registry.answers import to_line

    now_ms = time.time_ns() // 1_000_000
    canary = find_canary(params.registry, alias_of(params))
    if canary is None:
        print("there is no canary: no version but the champion is challenger")
        return {"state": "none"} if json else None
    if apply:
        canary = start_canary(params.registry, canary, now_ms)
    report = analyse_log(params, canary, now_ms)
    print(to_text(report), end="")
    decision = apply_report(params, report) if apply else None
    if decision is not None:
        print(to_line(decision))
    if not json:
        return None
    return {**report.to_json(), "decision": decision and decision.action}


def analyse_log(
    params: Params,
    canary: Canary,
    now_ms: int,
    ratings: Callable[[], Mapping[str, bool]] = dict,
) -> CanaryReport:
    """The verdict on a canary from the request log; never raises.

    Args:
        ratings: reads whether users rated a request as good, by its id.
    """
    from graft.monitoring.canary.analysis import analyse

    config: CanaryAnalysisConfig = params.monitoring.canary
    folder = params.monitoring.request_log.folder

    def read() -> "pa.Table":
        from graft.monitoring.canary.traffic import COLUMNS
        from graft.monitoring.request_log import read_rows

        least = now_ms - int(1000 * config.max_s)
        since_ms = canary.started_ms if canary.started_ms is not None else least
        return read_rows(Path(folder or ""), since_ms=since_ms, columns=COLUMNS)

    return analyse(
        read,
        ratings,
        config,
        now_ms=now_ms,
        canary=canary.id,
        champion=canary.champion,
        started_ms=canary.started_ms,
    )


def apply_report(params: Params, report: CanaryReport) -> Decision | None:
    """Act on a verdict. The same verdict again is no second decision.

    Returns: the decision: the end of the canary, or the gate's; None if there is
        nothing to do.
    Raises: TrackingError if the registry does not respond.
    """
    if report.canary is None:
        return None
    version = report.canary.rpartition("/")[2]
    if report.ends:
        checks = [
            to_check(one, passed=one.verdict != "worse")
            for one in report.metrics
            if one.role == "canary" and one.excess is not None
        ]
        reason = f"{report.state}: {report.reason}"
        alias = alias_of(params)
        return end_canary(params.registry, version, reason, checks=checks, alias=alias)
    if report.state == "promote" and params.monitoring.canary.promote:
        return _ask_gate(params, version, report)
    return None


def alias_of(params: Params) -> str:
    """Alias of the version that the API serves as canary."""
    canary = params.serving.canary
    return canary.alias if canary else ALIAS


def to_check(result: Any, passed: bool) -> dict[str, Any]:
    """A metric as a rule in the decision log."""
    rule = f"canary {result.name}"
    values = {"low": result.low, "high": result.high}
    known = {name: value for name, value in values.items() if value is not None}
    return {"rule": rule, "passed": passed, "found": result.sentence, **known}


def _ask_gate(params: Params, version: str, report: CanaryReport) -> Decision | None:
    """The gate's decision, with the canary's evidence: it may well refuse."""
    from graft.registry.checks import Check
    from graft.registry.promotion import Promotion

    evidence = [
        Check(f"canary {one.name}", True, one.sentence)
        for one in report.metrics
        if one.verdict == "not_worse"
    ]
    promotion = Promotion(params.registry, params.evaluate, version, VIA)
    promotion.evidence = evidence
    return promotion.run()
