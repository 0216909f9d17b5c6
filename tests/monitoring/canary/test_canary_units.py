"""Requests of one user are alike: what the canary is drawn by must be known."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from canary_traffic import START_MS, served, to_table

from graft.config.params import load_params
from graft.monitoring.canary.analysis import analyse
from graft.monitoring.canary.comparison import Sums, estimate
from graft.monitoring.canary.judging import needed_evidence
from graft.monitoring.canary.report import CanaryReport

CONFIG = load_params(Path(__file__).parents[3] / "params.yaml").monitoring.canary
Rows = list[dict[str, Any]]


def without_keys(rows: Rows, *, has_units: bool) -> Rows:
    """The rows of an API without keys, whose clients send the field `user`."""
    units = {"client": None}
    return [
        row | units | ({"unit": row["client"]} if has_units else {}) for row in rows
    ]


def heavy_user(*, has_units: bool) -> CanaryReport:
    """Both versions alike; one of the canary's users, whose answers take five times as
    long, sends a fifth of its requests."""
    rows = served(500, "main") + served(400, "canary")
    for row in served(100, "canary", seed=1, slower=5.0):
        rows.append(row | {"client": "heavy"})
    table = to_table(without_keys(rows, has_units=has_units))
    return analyse(table, {}, CONFIG, now_ms=START_MS + 60_000)


def test_habits_of_a_heavy_user_are_no_fault_of_the_canary() -> None:
    report = heavy_user(has_units=True)
    assert report.state != "rollback" and not report.notes
    assert 10 < report.clients_canary < 40


def test_without_units_they_pass_for_a_fault_and_a_note_warns_of_it() -> None:
    report = heavy_user(has_units=False)
    assert report.state == "rollback" and "not known" in report.notes[0]


@pytest.mark.parametrize("has_units", [True, False])
def test_false_rollbacks_stay_at_their_rate_only_with_units(has_units: bool) -> None:
    """Two hundred healthy canaries, with habits of users in the time per token."""
    random, needed, rolled_back = np.random.default_rng(0), needed_evidence(CONFIG), 0
    for _ in range(200):
        groups: list[Sums] = []
        for _ in ("canary", "main"):
            user = random.integers(20, size=2000)
            values = random.normal(0, 0.5, 20)[user] + random.normal(0, 0.3, 2000)
            clients = user if has_units else np.arange(2000)
            groups.append(Sums.of(values, 0 * values, clients))
        found = estimate("log", groups[0], groups[1])
        rolled_back += bool(found.worse(math.log(1.1), CONFIG.min_clients) >= needed)
    if has_units:
        assert rolled_back / 200 <= CONFIG.error_rate
    else:
        assert rolled_back / 200 > CONFIG.error_rate


def test_rows_of_an_older_log_count_by_the_name_of_the_key() -> None:
    old = served(400, "main", clients=30) + served(400, "canary", clients=30)
    new = without_keys(served(400, "main", seed=1, clients=30), has_units=True)
    for rows in (old, old + new):
        table = to_table(rows).drop_columns(["unit"] if rows is old else [])
        report = analyse(table, {}, CONFIG, now_ms=START_MS + 60_000)
        assert not report.notes and 20 < report.clients_canary <= 30
