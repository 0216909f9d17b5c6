"""Faults, and what must follow."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from rehearsal.processes import wait_for
from rehearsal.stage import Stage
from rehearsal.store import CANARY

ALERT_S, RECOVERY_S, MOST_S = 10.0, 20.0, 60.0


@dataclass(frozen=True)
class Outcome:
    """What followed a fault.

    Args:
        alert_s: from the fault to the alert; None: none was expected.
        bad_s: from the fault to the last bad answer.
        num_bad: bad answers.
        num_sent: requests that were answered while it lasted.
        num_lost: those without an answer, or with an error that was not planted.
        state: what the registry had at the end.
        problems: bounds that were broken.
    """

    name: str
    alert_s: float | None
    bad_s: float
    num_bad: int
    num_sent: int
    num_lost: int
    state: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Fault:
    """A fault of one version.

    Args:
        adapter: `good` or `garbage`.
        planted: what the engine does with its requests.
        alert: that must fire.
        role: `canary`, or `champion` if it is promoted first.
    """

    name: str
    adapter: str
    planted: str | float | None
    alert: str
    role: str = "canary"


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
        stage.store.enter_canary(number)
        _wait(stage, "the canary", lambda: stage.served(CANARY) == number)
    else:
        stage.store.promote(number, "the next champion")
        _wait(stage, "the champion", lambda: stage.served("champion") == number)
        assert fault.planted is not None
        stage.plant(fault.planted, number)
    start = time.monotonic()
    name = f"{stage.store.registry.name}/{number}"
    _wait(stage, fault.alert, lambda: stage.monitor.firing(fault.alert, name))
    alert_s = time.monotonic() - start
    alias = CANARY if is_canary else "champion"
    _wait(stage, "the end", lambda: stage.served(alias) != number)
    # Answers that were begun by the bad version may still come.
    time.sleep(2 * stage.scale)
    answers = stage.load.answers(begin)
    planted_errors = fault.planted == "errors"
    bad = [
        one
        for one in answers
        if one.version == number or (planted_errors and one.status >= 500)
    ]
    bad = [one for one in bad if one.at >= start]
    errors = [one for one in answers if one.status != 200]
    lost = [one for one in errors if not (planted_errors and one.status >= 500)]
    champion, canary = stage.store.champion, stage.store.holder(CANARY)
    found = Outcome(
        fault.name,
        alert_s,
        max((one.at for one in bad), default=start) - start,
        len(bad),
        len(answers),
        len(lost),
        f"champion {champion}, canary {canary or 'none'}",
        (),
    )
    return _judged(found, stage.scale, champion == before and canary is None)


def _judged(found: Outcome, scale: float, is_restored: bool) -> Outcome:
    problems = []
    if found.alert_s is not None and found.alert_s > ALERT_S * scale:
        problems.append(f"the alert came after {found.alert_s:.1f} s")
    if found.bad_s > RECOVERY_S * scale:
        problems.append(f"the last bad answer came after {found.bad_s:.1f} s")
    if found.num_lost:
        problems.append(f"{found.num_lost} requests were lost")
    if not is_restored:
        problems.append("the registry is not as it was before the fault")
    return Outcome(**{**vars(found), "problems": tuple(problems)})


def _wait(stage: Stage, what: str, condition: Callable[[], object]) -> None:
    wait_for(what, condition, MOST_S * stage.scale)
