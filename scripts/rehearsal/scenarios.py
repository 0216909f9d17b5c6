"""Versions with a fault, which must be taken back."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.load import Answer
from rehearsal.outcome import Limits, Outcome, conclude
from rehearsal.processes import wait_for
from rehearsal.stage import Stage
from rehearsal.store import CANARY

MOST_S = 60.0
REJECTED = "GraftCanaryRejected"
"""The alert of the canary analysis, which may come before that of the rules."""


@dataclass(frozen=True)
class Fault:
    """A fault of one version.

    Args:
        adapter: `good` or `garbage`.
        planted: what the engine does with its requests.
        alert: that must fire, or `REJECTED`.
        role: `canary`, or `champion` if it is promoted first.
        is_disliked: whether users rate its answers as bad, and others as good.
        limits: of what follows.
    """

    name: str
    adapter: str
    planted: str | float | None
    alert: str
    role: str = "canary"
    is_disliked: bool = False
    limits: Limits = Limits()


def faults(scale: float) -> list[Fault]:
    """All faults, in their order."""
    return [
        Fault("garbage canary", "garbage", None, "GraftCanaryCut"),
        Fault("slow canary", "good", 1.5 * scale, "GraftCanarySlow"),
        Fault("canary with errors", "good", "errors", "GraftCanaryErrors"),
        Fault(
            "champion with errors", "good", "errors", "GraftChampionErrors", "champion"
        ),
    ]


def disliked() -> Fault:
    """A canary that only ratings show to be worse: some dozens are needed."""
    limits = Limits(alert_s=20.0, bad_s=20.0)
    return Fault(
        "canary with bad ratings",
        "good",
        None,
        REJECTED,
        is_disliked=True,
        limits=limits,
    )


def rehearse(stage: Stage, fault: Fault) -> Outcome:
    """Plant a fault, and wait until it is taken back.

    Raises: TimeoutError if it is not taken back at all.
    """
    before, number = stage.store.champion, stage.store.add(fault.adapter)
    is_canary = fault.role == "canary"
    begin = time.monotonic()
    if is_canary:
        if fault.planted is not None:
            stage.plant(fault.planted, number)
        if fault.is_disliked:
            stage.load.rate = lambda one: "bad" if one.version == number else "good"
        stage.store.enter_canary(number)
        wait(stage, "the canary", lambda: stage.served(CANARY) == number)
    else:
        stage.store.promote(number, "the next champion")
        wait(stage, "the champion", lambda: stage.served("champion") == number)
        assert fault.planted is not None
        stage.plant(fault.planted, number)
    start = time.monotonic()
    wait(stage, fault.alert, lambda: _is_alerted(stage, fault.alert, number))
    alert_s = time.monotonic() - start
    alias = CANARY if is_canary else "champion"
    wait(stage, "the end", lambda: stage.served(alias) != number)
    # Answers that were begun by the bad version may still come.
    time.sleep(2 * stage.scale)
    stage.load.rate = lambda _: None
    answers, is_planted = stage.load.answers(begin), fault.planted == "errors"
    bad = [one for one in answers if _is_bad(one, number, is_planted)]
    bad = [one for one in bad if one.at >= start]
    end = stage.end_of(number) if is_canary else f"champion {before}"
    problems = []
    causes = ("rollback: bad_ratings",) if fault.is_disliked else ("rollback", "Graft")
    if is_canary and not end.startswith(causes):
        problems.append(f"it ended otherwise: {end}")
    return conclude(
        stage,
        fault.name,
        before,
        answers,
        end,
        limits=fault.limits,
        alert_s=alert_s,
        bad_s=max((one.at for one in bad), default=start) - start,
        num_bad=len(bad),
        is_planted=is_planted,
        problems=problems,
    )


def wait(stage: Stage, what: str, condition: Callable[[], object]) -> None:
    """Wait for a condition. Raises: TimeoutError."""
    wait_for(what, condition, MOST_S * stage.scale)


def _is_alerted(stage: Stage, alert: str, number: str) -> bool:
    name = f"{stage.store.registry.name}/{number}"
    if alert != REJECTED and stage.monitor.firing(alert, name):
        return True
    if stage.served(CANARY) == number:
        return False
    is_rejected = stage.store.end_of(number).startswith("rollback")
    return is_rejected and stage.monitor.firing(REJECTED)


def _is_bad(answer: Answer, number: str, is_planted: bool) -> bool:
    return answer.version == number or (is_planted and answer.status >= 500)
