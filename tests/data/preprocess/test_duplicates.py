"""Exact and near-duplicates across batches, and the groups that they join."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from translation_pairs import Cleaned, clean_rows, pair, preprocess_config

from graft.data.preprocess.cleaning import ReviewDecisions

EXACT = preprocess_config()
NEAR = preprocess_config(near_duplicates={"policy": "drop"})
GROUP = preprocess_config(near_duplicates={"policy": "group"})
LONG = "The old fisherman mended his nets by the harbour wall while the gulls cried"
LONG_FR = "Le vieux pêcheur réparait ses filets au port quand les mouettes criaient"


def test_the_first_of_equals_is_kept_across_batches_and_after_repair() -> None:
    rows = [pair("hello", f"le n{n}", n) for n in range(5)]
    rows.append(pair("  hello ", "<b>le</b> n1", 5))
    found = clean_rows(rows, EXACT, size=2)
    assert [example["id"] for example in found.kept] == [f"id{n}" for n in range(5)]
    assert [(r["where"], r["reason"]) for r in found.dropped] == [("f:5", "duplicate")]


def test_an_official_test_example_wins_over_its_equals_in_train() -> None:
    rows = [
        pair("hello", "salut", n, split=split)
        for n, split in enumerate(["train", None, "validation", "test", "test"])
    ]
    found = clean_rows(rows, EXACT, size=2)
    assert [example["id"] for example in found.kept] == ["id3"]
    assert {r["where"] for r in found.dropped} == {"f:0", "f:1", "f:2", "f:4"}


def test_kept_duplicates_get_ids_of_their_own() -> None:
    config = preprocess_config(drop_duplicates=False)
    rows = [pair("hello", "salut", n, id="same") for n in range(3)]
    kept = clean_rows(rows, config, size=2).kept
    assert [example["id"] for example in kept] == ["same", "same-2", "same-3"]


def test_an_example_that_a_rule_drops_is_no_duplicates_first() -> None:
    rows = [pair("hello", "x" * 90_000, 0), pair("hello", "salut", 1)]
    rows += [pair("hello", "salut", 2)]
    found = clean_rows(rows, EXACT)
    assert [example["id"] for example in found.kept] == ["id1"]


def near_rows(**changes: Any) -> list[dict[str, Any]]:
    others = [
        pair(f"Number {n} is here", f"Le numéro {n} est ici", n) for n in range(4)
    ]
    copy = pair(f"{LONG}!", f"{LONG_FR}...", 5, **changes)
    return [*others, pair(LONG, LONG_FR, 4), copy]


def test_a_near_duplicate_is_dropped_and_names_the_example_it_repeats() -> None:
    found = clean_rows(near_rows(), NEAR, size=2)
    assert [e["id"] for e in found.kept] == [f"id{n}" for n in range(5)]
    (reject,) = found.dropped
    assert (reject["where"], reject["reason"]) == ("f:5", "near-duplicate")
    assert reject["value"] == "like f:4"
    assert found.report["clusters"] == 1
    assert found.report["largest"] == [{"size": 2, "rows": ["f:4", "f:5"]}]


def test_a_readmitted_near_duplicate_stays() -> None:
    decided = ReviewDecisions({}, frozenset({"id5"}))
    assert not clean_rows(near_rows(), NEAR, 2, decided).dropped


def test_the_test_sets_near_duplicate_is_the_one_that_is_kept() -> None:
    found = clean_rows(near_rows(split="test"), NEAR, size=2)
    assert "id5" in {e["id"] for e in found.kept}
    assert [r["where"] for r in found.dropped] == ["f:4"]


def test_near_duplicates_that_are_kept_are_one_group() -> None:
    found = clean_rows(near_rows(), GROUP, size=2)
    groups = {e["id"]: e["group"] for e in found.kept}
    assert len(found.kept) == 6
    assert groups["id4"] == groups["id5"] and len(set(groups.values())) == 5


def test_groups_that_a_near_duplicate_links_become_the_older_one() -> None:
    rows = near_rows(group="late")
    rows[4]["group"] = "early"
    rows.append(
        pair("Another row of the late group", "Une autre ligne", 6, group="late")
    )
    groups = {e["id"]: e["group"] for e in clean_rows(rows, GROUP, size=2).kept}
    assert groups["id4"] == groups["id5"] == groups["id6"] == "early"


WORDS = st.sampled_from(["the", "sea", "was", "calm", "and", "cold", "that", "night"])
TEXTS = st.lists(st.lists(WORDS, min_size=5, max_size=30).map(" ".join), max_size=12)


@settings(max_examples=25)
@given(TEXTS, st.integers(1, 12))
def test_batches_of_any_size_give_the_same(texts: list[str], size: int) -> None:
    rows = [pair(None, text, n) for n, text in enumerate(texts)]
    one, many = (clean_rows(rows, NEAR, size=s) for s in (max(len(rows), 1), size))
    assert (one.kept, one.dropped) == (many.kept, many.dropped)
    assert one.report == many.report


def counts(found: Cleaned) -> int:
    return len(found.kept) + len(found.dropped)


@settings(max_examples=25)
@given(TEXTS)
def test_every_example_is_kept_or_dropped_once(texts: list[str]) -> None:
    rows = [pair(None, text, n) for n, text in enumerate(texts)]
    assert counts(clean_rows(rows, NEAR)) == len(rows)
