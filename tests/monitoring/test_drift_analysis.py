from collections.abc import Callable

import pyarrow as pa
import pytest
from drift_rows import CONFIG, FRENCH, make_reference, texts, to_rows

from graft.monitoring.drift.analysis import analyse, thin
from graft.monitoring.drift.profile import Profile, ProfileFacts
from graft.monitoring.drift.report import DriftReport, failed
from graft.monitoring.features import FEATURE_SCHEMA, VERSION
from graft.monitoring.names import Watch

PROFILE = make_reference()
PERMUTATIONS = 499


def analysed(rows: pa.Table, profile: Profile = PROFILE) -> DriftReport:
    return analyse(rows, profile, CONFIG, PERMUTATIONS)


def longer(prompts: list[str]) -> list[str]:
    return [f"{a} {b}" for a, b in zip(prompts, texts(100, seed=9), strict=True)]


CHANGES: dict[str, tuple[Callable[[], pa.Table], str]] = {
    "another language": (lambda: to_rows(texts(100, 2, FRENCH)), "language"),
    "another domain": (
        lambda: to_rows(texts(100, 2, "compute gradient loss of matrix".split())),
        "ngrams",
    ),
    "twice the length": (lambda: to_rows(longer(texts(100, 2))), "words"),
    "code": (lambda: to_rows(["def f(x):\n    return {x: [x]}\n"] * 100), "symbols"),
    "another template": (lambda: to_rows(texts(100, 2), (7, 8)), "opening"),
    "personal data": (
        lambda: to_rows([f"{text} jane@example.org" for text in texts(100, 2)]),
        "personal_data",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_kind_of_change_is_found_in_its_feature(name: str) -> None:
    make, feature = CHANGES[name]
    report = analysed(make())
    assert report.state == "drifted"
    assert feature in {one.feature for one in report.drifted}


def test_false_alarms_are_as_rare_as_stated() -> None:
    pool, drifted = to_rows(texts(2_000, seed=3)), 0
    for start in range(0, 2_000, 50):
        window = pool.slice(start, 50)
        drifted += analyse(window, PROFILE, CONFIG, 199).state == "drifted"
    assert drifted <= 7  # of 40 at 5 %: more have a probability below 0.2 %


def test_too_few_requests_are_no_answer() -> None:
    report = analysed(to_rows(texts(49, seed=2)))
    assert report.state == "too_few_requests"
    assert report.reason == "49 requests, of at least 50"
    assert report.p_value is None and not report.features


def test_a_small_profile_is_no_answer() -> None:
    report = analysed(to_rows(texts(100, seed=2)), make_reference(20))
    assert (report.state, report.reason) == (
        "too_few_requests",
        "20 rows of the profile, of at least 50",
    )


def test_rows_without_features_and_copies_for_a_shadow_are_left_out() -> None:
    rows = to_rows(texts(60, seed=2))
    groups = pa.array(["main"] * 20 + ["shadow"] * 20 + [None] * 20)
    versions = pa.array([VERSION] * 40 + [VERSION - 1] * 5 + [VERSION] * 15, pa.int16())
    rows = rows.append_column("group", groups)
    rows = rows.append_column("features_version", versions)
    empty = pa.table({field.name: pa.nulls(9, field.type) for field in rows.schema})
    report = analysed(pa.concat_tables([rows, empty]))
    assert report.num_requests == 35


def test_the_window_is_the_last_requests() -> None:
    old, new = to_rows(texts(200, 2, FRENCH)), to_rows(texts(100, seed=4))
    report = analysed(pa.concat_tables([old, new]))
    assert (report.state, report.num_requests) == ("no_drift", 100)


@pytest.mark.parametrize("take_every", (1, 2, 3, 7, 99, 100, 101))
def test_of_thinned_rows_so_many_lie_between_two_and_the_last_one_is_kept(
    take_every: int,
) -> None:
    rows = to_rows(texts(100, seed=2)).append_column("number", pa.array(range(100)))
    kept = thin(rows, take_every)["number"].to_pylist()
    assert kept == [n for n in range(100) if (99 - n) % take_every == 0]


def test_rows_that_are_no_part_of_a_window_do_not_count_for_thinning() -> None:
    served = to_rows(texts(50, seed=2)).append_column("group", pa.array(["main"] * 50))
    copies = pa.array(["shadow"] * 50)
    both = pa.concat_tables(
        [served, served.set_column(served.column_names.index("group"), "group", copies)]
    )
    mixed = both.take([n // 2 + 50 * (n % 2) for n in range(100)])
    assert thin(mixed, 2)["group"].to_pylist() == ["main"] * 25


def test_the_rows_that_moved_are_those_that_changed() -> None:
    rows = pa.concat_tables([to_rows(texts(70, 5)), to_rows(texts(30, 2, FRENCH))])
    moved = [one.row for one in analysed(rows).moved]
    assert 20 <= len(moved) <= 40 and all(row >= 70 for row in moved[:20])


def test_lengths_of_whole_documents_are_not_compared() -> None:
    facts = ProfileFacts(600, "0" * 16, opens_documents=True)
    report = analysed(to_rows(texts(100, 2)), Profile(PROFILE.rows, facts))
    assert not {"tokens", "chars", "words"} & {one.feature for one in report.features}


def test_one_rare_value_is_no_drift() -> None:
    prompts = [*texts(99, seed=4), "Write to jane@example.org."]
    found = {one.feature: one for one in analysed(to_rows(prompts)).features}
    assert not found["personal_data"].drifted


def test_equal_input_gives_an_equal_report() -> None:
    rows = to_rows(texts(100, 2, FRENCH))
    assert analysed(rows) == analysed(rows)


def test_a_report_without_an_answer_has_no_statistics_as_metrics() -> None:
    metrics = list(failed("no profile").to_metrics())
    assert metrics == [(Watch.DRIFT_WINDOW, {}, 0)]
    names = {metric for metric, _, _ in analysed(to_rows(texts(100, 2))).to_metrics()}
    assert names == {
        Watch.DRIFT,
        Watch.DRIFT_DETECTED,
        Watch.DRIFT_THRESHOLD,
        Watch.DRIFT_WINDOW,
    }


def test_rows_of_the_profile_have_the_columns_of_features() -> None:
    assert PROFILE.rows.schema == FEATURE_SCHEMA
