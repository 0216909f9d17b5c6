"""Whether the canary gets its share of the clients."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from canary_traffic import START_MS, served, to_table

from graft.config.params import load_params
from graft.monitoring.canary.analysis import analyse
from graft.monitoring.canary.judging import needed_evidence
from graft.monitoring.canary.report import CanaryReport
from graft.monitoring.canary.sample_ratio import log_e_share
from graft.monitoring.canary.text import to_text

CONFIG = load_params(Path(__file__).parents[3] / "params.yaml").monitoring.canary


def clients(canary: int, main: int, *, errors: float = 0.005) -> pa.Table:
    """Two requests of each client, in turn."""
    rows = []
    for group, number in (("canary", canary), ("main", main)):
        error_rate = errors if group == "canary" else 0.005
        for place, row in enumerate(served(2 * number, group, error_rate=error_rate)):
            rows.append(row | {"unit": f"{group} {place % number}"})
    return to_table(rows)


def verdict(rows: pa.Table, share: float | None) -> CanaryReport:
    now = START_MS + 60_000
    return analyse(rows, {}, CONFIG, now_ms=now, share=share)


def test_a_canary_without_its_share_of_clients_ends_and_is_not_promoted() -> None:
    report = verdict(clients(130, 250), share=0.5)
    assert report.state == "sample_ratio_mismatch" and report.ends
    assert "configured 50 %" in report.reason
    assert "split: 129 of 379 clients" in to_text(report)


@pytest.mark.parametrize(("canary", "share"), [(230, 0.5), (120, None), (25, 0.1)])
def test_chance_and_an_unknown_share_are_no_mismatch(
    canary: int, share: float | None
) -> None:
    report = verdict(clients(canary, 250), share)
    assert report.state in ("continue", "too_little_traffic")


def test_a_fault_of_the_canary_is_reported_first() -> None:
    assert verdict(clients(130, 250, errors=0.5), share=0.5).state == "rollback"


def test_a_client_of_both_groups_counts_once_as_the_canarys() -> None:
    rows = clients(100, 100)
    moved = served(200, "main") + [
        row | {"unit": f"canary {place}"}
        for place, row in enumerate(served(100, "main", seed=1))
    ]
    report = verdict(pa.concat_tables([rows, to_table(moved)]), share=0.5)
    assert report.sample_ratio is not None
    assert (report.sample_ratio.canary, report.sample_ratio.clients) == (99, 199)


@pytest.mark.parametrize("share", [0.5, 0.05])
def test_a_healthy_split_is_rarely_a_mismatch_however_often_one_looks(
    share: float,
) -> None:
    """The canary's clients of 2,000 splits, after each of 2,000 clients."""
    drawn = np.random.default_rng(0).random((2000, 2000)) < share
    canary = drawn.cumsum(1).astype(np.float64)
    evidence = log_e_share(canary, np.arange(1.0, 2001), share)
    rate = float((evidence.max(1) >= np.log(20)).mean())
    assert 0 < rate <= 0.05
    assert float((evidence.max(1) >= needed_evidence(CONFIG)).mean()) <= 0.005
