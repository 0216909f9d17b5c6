"""Analyses that see nothing, that fail, and that find drift."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from graft import io
from graft.monitoring.request_log.shard import Shard
from graft.serving.versions import share_of
from rehearsal.outcome import Limits, Outcome, conclude
from rehearsal.scenarios import wait
from rehearsal.stage import CANARY_S, CANDIDATES, DRIFT_REQUESTS, REQUESTS, SHARE, Stage
from rehearsal.store import CANARY

OTHER_TEXTS = ("SELECT name FROM cats WHERE age > 3;", "for i in range(9): print(i)")
LATE_S = 10.0
"""A canary may end so much later than its limit."""


@contextmanager
def no_traffic(stage: Stage, number: str) -> Iterator[None]:
    """Users in the share of a version send nothing."""
    users = [user for user in stage.load.users if share_of(user, number) < SHARE]
    stage.load.resting = frozenset(users)
    try:
        yield
    finally:
        stage.load.resting = frozenset()


@contextmanager
def broken_log(stage: Stage, _number: str) -> Iterator[None]:
    """A shard of the request log cannot be read."""
    now = round(1000 * time.time())
    path = stage.folder / REQUESTS / Shard.new(now, now + 3_600_000, 0).name
    path.write_bytes(b"no Parquet")
    try:
        yield
    finally:
        path.unlink()


@dataclass(frozen=True)
class Unknown:
    """A canary about which nothing becomes known.

    Args:
        planted: the cause, for a version.
        state: of the analysis, in which it must end.
        alert: that must fire, if any.
    """

    name: str
    planted: Callable[[Stage, str], AbstractContextManager[None]]
    state: str
    alert: str | None


UNKNOWNS = (
    Unknown("canary without traffic", no_traffic, "no_data", None),
    Unknown("broken analysis", broken_log, "failed", "GraftCanaryAnalysisFailed"),
)


def rehearse_unknown(stage: Stage, one: Unknown) -> Outcome:
    """Let a canary enter. It must end after its time, and never be promoted.

    Raises: TimeoutError if it does not end.
    """
    before, number = stage.store.champion, stage.store.add("good")
    begin, alert_s = time.monotonic(), None
    with one.planted(stage, number):
        stage.store.enter_canary(number)
        wait(stage, "the canary", lambda: stage.served(CANARY) == number)
        if one.alert:
            alert = one.alert
            wait(stage, alert, lambda: stage.monitor.firing(alert))
            alert_s = time.monotonic() - begin
        wait(stage, "the end", lambda: stage.served(CANARY) != number)
        end_s = time.monotonic() - begin
    end, problems = stage.end_of(number), []
    if not end.startswith(f"{one.state}:"):
        problems.append(f"it ended otherwise: {end}")
    least, most = CANARY_S * stage.scale, (CANARY_S + LATE_S) * stage.scale
    if not least <= end_s <= most:
        problems.append(f"it ended after {end_s:.1f} s, not {least:g} to {most:g} s")
    answers = stage.load.answers(begin)
    return conclude(
        stage, one.name, before, answers, end, alert_s=alert_s, problems=problems
    )


def rehearse_drift(stage: Stage) -> Outcome:
    """Let users send something else, and then again what they sent before.

    Raises: TimeoutError if no alert comes, or if it does not end.
    """
    before, usual = stage.store.champion, stage.load.texts
    stage.store.register_profile(stage.folder / REQUESTS)
    none = "sum(graft_drift_detected) == 0"
    wait(stage, "an analysis without drift", lambda: stage.monitor.query(none))
    start = time.monotonic()
    stage.load.texts = list(OTHER_TEXTS)
    wait(stage, "drift", lambda: stage.monitor.firing("GraftDriftDetected"))
    alert_s = time.monotonic() - start
    num_until, problems = len(stage.load.answers(start)), []
    stage.load.texts = usual
    wait(stage, "no drift", lambda: stage.monitor.query(none))
    if num_until > DRIFT_REQUESTS:
        problems.append(f"drift was found after {num_until} requests")
    path = stage.folder / CANDIDATES
    rows = [row for _, row in io.read_json_lines(path)] if path.exists() else []
    if not {row["prompt"] for row in rows} & set(OTHER_TEXTS):
        problems.append(f"{path} has none of the requests that drifted")
    return conclude(
        stage,
        "drifted input",
        before,
        stage.load.answers(start),
        f"found after {num_until} requests; {len(rows)} candidates",
        limits=Limits(alert_s=20.0),
        alert_s=alert_s,
        problems=problems,
    )
