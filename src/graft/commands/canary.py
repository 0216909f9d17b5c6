"""`graft canary`: compare the challenger with the champion on live traffic."""

import time
from typing import Any

from graft.config.params import Params
from graft.registry.canary import find_canary, start_canary
from graft.serving.live_canary import alias_of, analyse_log, apply_report


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
