"""Each state of the analysis, on rows of a request log."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from canary_traffic import START_MS, served, to_table

from graft.config.monitoring import CanaryAnalysisConfig
from graft.config.params import load_params
from graft.monitoring.canary.analysis import analyse
from graft.monitoring.canary.report import CanaryReport
from graft.monitoring.canary.text import to_text

CONFIG: CanaryAnalysisConfig = load_params(
    Path(__file__).parents[3] / "params.yaml"
).monitoring.canary
LATER = START_MS + int(1000 * CONFIG.max_s)


def verdict(rows: Any, *, ratings: Any = None, **options: Any) -> CanaryReport:
    options = {"now_ms": START_MS + 60_000} | options
    return analyse(rows, ratings or {}, CONFIG, **options)


def both(number: int, **canary: Any) -> pa.Table:
    return to_table(served(number, "main"), served(number, "canary", **canary))


def test_a_healthy_canary_may_be_promoted_at_enough_traffic() -> None:
    report = verdict(both(2500))
    assert report.state == "promote" and not report.ends
    assert report.canary == "model/2" and report.champion == "model/1"


def test_a_healthy_canary_goes_on_until_errors_can_be_excluded() -> None:
    report = verdict(both(400))
    assert report.state == "continue" and "errors" in report.reason


@pytest.mark.parametrize(
    ("fault", "metric"),
    [
        ({"error_rate": 0.5}, "errors"),
        ({"slower": 2.0}, "first_token"),
        ({"longer": 5.0}, "longer"),
        ({"longer": 0.2}, "shorter"),
        ({"repetition": 0.9}, "repetitive"),
        ({"finishes": ["length"]}, "truncated"),
        ({"num_refusals": 1}, "refusals"),
        ({"guards": [("pii", 1)]}, "guarded"),
        ({"outcome": "client_gone"}, "abandoned"),
        ({"outcome": "client_error"}, "client_errors"),
    ],
)
def test_a_fault_is_rolled_back_within_a_hundred_requests(
    fault: dict[str, Any], metric: str
) -> None:
    report = verdict(both(100, **fault))
    assert report.state == "rollback" and report.ends
    assert metric in [one.name for one in report.metrics if one.verdict == "worse"]
    assert metric in to_text(report)


def test_bad_ratings_alone_roll_back() -> None:
    rows = both(300)
    ratings = {one: not one.startswith("canary") for one in rows["id"].to_pylist()}
    report = verdict(rows, ratings=ratings)
    assert report.state == "rollback" and report.reason.startswith("bad_ratings")


def test_a_broken_split_is_inconclusive() -> None:
    report = verdict(both(500, num_prompt_tokens=300))
    assert report.state == "inconclusive" and report.ends
    assert "the split is broken" in report.reason


@pytest.mark.parametrize("group", ["main", "canary"])
def test_one_group_without_traffic_is_no_data(group: str) -> None:
    rows = to_table(served(500, group))
    assert verdict(rows).state == "no_data" and not verdict(rows).ends
    late = verdict(rows, now_ms=LATER + 1)
    assert late.state == "no_data" and late.ends


def test_a_canary_without_any_request_ends_after_its_time() -> None:
    report = verdict(to_table(), started_ms=START_MS, now_ms=LATER)
    assert report.state == "no_data" and report.ends


def test_too_little_traffic_never_promotes_and_ends() -> None:
    report = verdict(both(60))
    assert report.state == "too_little_traffic" and not report.ends
    assert verdict(both(60), now_ms=LATER).ends


def test_few_clients_never_promote() -> None:
    rows = to_table(served(2500, "main"), served(2500, "canary", clients=3))
    assert verdict(rows).state == "too_little_traffic"


def test_a_canary_past_its_time_is_inconclusive() -> None:
    report = verdict(both(2500), now_ms=LATER)
    assert report.state == "inconclusive" and report.ends


def test_an_analysis_that_raises_is_failed_and_ends_after_the_limit() -> None:
    def broken() -> pa.Table:
        raise OSError("the disk is gone")

    report = verdict(broken, started_ms=START_MS)
    assert report.state == "failed" and not report.ends
    assert "the disk is gone" in report.reason
    late = verdict(broken, started_ms=START_MS, now_ms=LATER)
    assert late.state == "failed" and late.ends


def test_latencies_without_a_number_are_left_out_and_hold_a_promotion_back() -> None:
    report = verdict(both(2500, first_token_s=float("nan")))
    assert report.state == "continue" and "first_token" in report.reason
    assert verdict(both(2500, s_per_token=-1.0)).state == "continue"


def test_zero_variance_gives_no_certainty_from_equal_values() -> None:
    same = {"duration_s": 1.0, "first_token_s": 0.1, "s_per_token": 0.02}
    same |= {"num_completion_tokens": 50, "num_prompt_tokens": 50}
    rows = [served(2500, group, error_rate=0.0, **same) for group in ("main", "canary")]
    assert verdict(to_table(*rows)).state == "promote"
    assert verdict(both(100, **same | {"first_token_s": 0.5})).state == "rollback"


def test_another_version_in_mid_canary_starts_anew() -> None:
    second = START_MS + 300_000
    old = served(1000, "canary", error_rate=0.5)
    new = served(100, "canary", version="model/3", start_ms=second)
    report = verdict(to_table(served(4000, "main"), old, new))
    assert report.canary == "model/3" and report.since_ms == second
    assert report.num_canary == 100 and report.state == "too_little_traffic"
    assert report.num_main == 1000


def test_clocks_that_are_behind_never_end_a_canary_early() -> None:
    report = verdict(both(400), now_ms=START_MS - 1_000_000)
    assert report.elapsed_s == 0.0 and report.state == "continue"


def test_a_name_in_both_groups_is_not_a_client() -> None:
    shared = to_table(
        served(400, "main", client="key"), served(400, "canary", client="key")
    )
    report = verdict(shared)
    assert report.clients_canary == 400 and "not known" in report.notes[0]


def test_a_document_has_only_numbers_of_json() -> None:
    text = json.dumps(verdict(both(60)).to_json(), allow_nan=False)
    assert json.loads(text)["state"] == "too_little_traffic"
