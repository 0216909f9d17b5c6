"""What followed a fault, and the bounds that it must keep."""

from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.load import Answer
from rehearsal.stage import Stage
from rehearsal.store import CANARY


@dataclass(frozen=True)
class Limits:
    """Seconds on two quiet cores, from the fault.

    Args:
        alert_s: to the alert.
        bad_s: to the last bad answer.
    """

    alert_s: float = 10.0
    bad_s: float = 20.0


@dataclass(frozen=True)
class Outcome:
    """What followed a fault.

    Args:
        limits: as they were here.
        alert_s: from the fault to the alert; None: none was expected.
        bad_s: from the fault to the last bad answer; None: there are none.
        num_bad: bad answers.
        num_sent: requests that were answered while it lasted.
        num_lost: those without an answer, or with an error that was not planted.
        end: how it ended, in words.
        problems: bounds that were broken.
    """

    name: str
    limits: Limits
    alert_s: float | None
    bad_s: float | None
    num_bad: int
    num_sent: int
    num_lost: int
    end: str
    problems: tuple[str, ...]


def conclude(
    stage: Stage,
    name: str,
    champion: str | None,
    answers: Sequence[Answer],
    end: str,
    *,
    limits: Limits = Limits(),
    alert_s: float | None = None,
    bad_s: float | None = None,
    num_bad: int = 0,
    is_planted: bool = False,
    problems: Sequence[str] = (),
) -> Outcome:
    """The outcome, judged.

    Args:
        champion: before the fault, and again after it.
        answers: while it lasted.
        is_planted: whether errors of the server are what was planted.
        problems: found before.
    """
    limits = Limits(limits.alert_s * stage.scale, limits.bad_s * stage.scale)
    errors = [one for one in answers if one.status != 200]
    lost = [one for one in errors if not (is_planted and one.status >= 500)]
    found = list(problems)
    if alert_s is not None and alert_s > limits.alert_s:
        found.append(f"the alert came after {alert_s:.1f} s")
    if bad_s is not None and bad_s > limits.bad_s:
        found.append(f"the last bad answer came after {bad_s:.1f} s")
    if lost:
        found.append(f"{len(lost)} requests were lost: {lost[0].text[:200]}")
    if (now := stage.store.champion) != champion:
        found.append(f"the champion is {now}, not {champion} as before the fault")
    if canary := stage.store.holder(CANARY):
        found.append(f"{canary} is still the canary")
    return Outcome(
        name,
        limits,
        alert_s,
        bad_s,
        num_bad,
        len(answers),
        len(lost),
        end,
        tuple(found),
    )
