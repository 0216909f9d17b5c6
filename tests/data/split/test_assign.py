"""Splits are stable under growth, and keep groups and official splits together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.config import SplitConfig
from graft.data.split.assign import (
    LEFT_OUT,
    REJECTED,
    TEST,
    TRAIN,
    VALIDATION,
    Splitter,
)
from graft.data.split.report import MAX_STRATA, MOST_HELD, SplitCounts
from graft.errors import DataError
from graft.records import SPLITS

CONFIG = SplitConfig(validation=0.25, test=0.25, seed=42, leakage=None)


class Example(NamedTuple):
    group: str
    official: str | None = None
    augmented: bool = False


FREE = st.lists(st.text("abc", max_size=3).map(Example), max_size=40)
MIXED = st.lists(
    st.tuples(st.text("abc", max_size=2), st.none() | st.sampled_from(SPLITS)).map(
        lambda pair: Example(*pair)
    ),
    max_size=40,
)


def to_keys(examples: Sequence[Example]) -> pa.Table:
    columns = {
        "group": pa.array([e.group for e in examples], pa.string()),
        "split": pa.array([e.official for e in examples], pa.string()),
        "augmented": pa.array([e.augmented for e in examples], pa.bool_()),
    }
    return pa.table(columns)


def split(
    examples: Sequence[Example], config: SplitConfig = CONFIG, batch_size: int = 7
) -> tuple[list[int], Splitter]:
    keys = to_keys(examples)
    tables = [keys.slice(i, batch_size) for i in range(0, len(examples), batch_size)]
    splitter = Splitter(config)
    for table in tables:
        splitter.observe(table)
    return [code for t in tables for code in splitter.assign(t).tolist()], splitter


def assign(examples: Sequence[Example], config: SplitConfig = CONFIG) -> list[int]:
    return split(examples, config)[0]


@given(MIXED, st.integers(1, 50))
def test_the_size_of_batches_changes_nothing(
    examples: list[Example], batch_size: int
) -> None:
    codes, splitter = split(examples, batch_size=batch_size)
    other, at_once = split(examples, batch_size=100)
    assert codes == other and splitter.num_straddling == at_once.num_straddling


@given(FREE, FREE)
def test_adding_examples_never_moves_an_old_one(
    old: list[Example], new: list[Example]
) -> None:
    assert assign([*new, *old])[len(new) :] == assign(old)


@given(MIXED, FREE)
def test_with_official_splits_adding_others_never_moves_an_old_example(
    old: list[Example], new: list[Example]
) -> None:
    assert assign([*old, *new])[: len(old)] == assign(old)


@given(FREE)
def test_a_group_never_straddles(examples: list[Example]) -> None:
    seen: dict[str, int] = {}
    for example, code in zip(examples, assign(examples), strict=True):
        assert seen.setdefault(example.group, code) == code


@given(MIXED)
def test_an_official_held_out_split_is_unchanged(
    examples: list[Example],
) -> None:
    codes = assign(examples)
    for code in (VALIDATION, TEST):
        given_rows = [i for i, e in enumerate(examples) if e.official == SPLITS[code]]
        if given_rows:
            assert [i for i, found in enumerate(codes) if found == code] == given_rows


@given(MIXED)
def test_an_example_of_an_officially_held_out_group_never_trains(
    examples: list[Example],
) -> None:
    held = {e.group for e in examples if e.official in ("validation", "test")}
    for example, code in zip(examples, assign(examples), strict=True):
        if example.official is None:
            assert (code == REJECTED) == (example.group in held)


@given(MIXED)
def test_official_train_loses_rows_only_to_a_split_without_official_rows(
    examples: list[Example],
) -> None:
    given_splits = {e.official for e in examples}
    for example, code in zip(examples, assign(examples), strict=True):
        if example.official == "train":
            assert code == TRAIN or SPLITS[code] not in given_splits


@given(FREE, st.floats(0, 0.4), st.floats(0, 0.4))
def test_a_larger_share_only_adds_to_a_held_out_split(
    examples: list[Example], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    small = assign(
        examples, SplitConfig(validation=low, test=0.25, seed=1, leakage=None)
    )
    large = assign(
        examples, SplitConfig(validation=high, test=0.25, seed=1, leakage=None)
    )
    for before, after in zip(small, large, strict=True):
        assert after == before or (before, after) == (TRAIN, VALIDATION)


def test_shares_hold_in_every_stratum_of_a_large_set() -> None:
    config = SplitConfig(validation=0.1, test=0.2, seed=7, leakage=None)
    for stratum in ("law", "news"):
        codes = assign([Example(f"{stratum}{i}") for i in range(20_000)], config)
        assert codes.count(VALIDATION) / 20_000 == pytest.approx(0.1, abs=0.01)
        assert codes.count(TEST) / 20_000 == pytest.approx(0.2, abs=0.01)


def test_positions_never_change() -> None:
    # Data that was split before depends on the position of `doc-1`, 0.8403813413.
    for test, code in ((0.8403813412, TRAIN), (0.8403813414, TEST)):
        config = SplitConfig(validation=0.0, test=test, seed=42, leakage=None)
        assert assign([Example("doc-1")], config) == [code]


def test_another_seed_gives_other_splits() -> None:
    examples = [Example(str(i)) for i in range(200)]
    other = SplitConfig(validation=0.25, test=0.25, seed=43, leakage=None)
    assert assign(examples) != assign(examples, other)


def test_an_unknown_official_split_is_an_error_that_names_it() -> None:
    with pytest.raises(DataError, match="'dev'"):
        assign([Example("a", "dev")])


def report(examples: Sequence[Example]) -> dict[str, object]:
    codes, splitter = split(examples)
    tally = SplitCounts()
    strata = pa.chunked_array([[e.group for e in examples]], pa.string())
    tally.add(strata, np.array(codes, np.int8))
    written = sum(code != LEFT_OUT for code in codes)
    return tally.to_report(splitter.num_straddling, written)


def test_the_counts_of_splits_and_strata_add_up() -> None:
    found = report([Example("a", "test"), Example("a"), Example("b"), Example("c")])
    assert str(found["balance"]).startswith("4 sequences = ")
    counts, strata = found["counts"], found["strata"]
    assert isinstance(counts, dict) and isinstance(strata, dict)
    assert sum(counts.values()) == 4 and counts["rejects"] == 1
    assert counts.pop("paraphrases_left_out") == 0
    for name, count in counts.items():
        assert sum(row[name] for row in strata.values()) == count
    assert strata["a"] == {"train": 0, "validation": 0, "test": 1, "rejects": 1}


def test_a_set_with_only_a_test_split_is_counted() -> None:
    found = report([Example(str(i), "test") for i in range(5)])
    counts = {"train": 0, "validation": 0, "test": 5, "rejects": 0}
    assert found["counts"] == {**counts, "paraphrases_left_out": 0}


def test_a_group_in_two_official_splits_is_kept_with_a_warning() -> None:
    found = report([Example("a", "train"), Example("a", "test"), Example("b", "test")])
    assert found["straddling_groups"] == 1
    assert "scores may be too good" in str(found["warnings"])


def test_an_empty_set_splits_into_empty_splits() -> None:
    assert not assign([])
    assert report([])["balance"] == (
        "0 sequences = 0 train + 0 validation + 0 test + 0 rejects"
    )


def test_only_train_keeps_a_paraphrase() -> None:
    examples = [Example(str(i), augmented=i % 2 == 1) for i in range(100)]
    for example, code in zip(examples, assign(examples), strict=True):
        assert (code == LEFT_OUT) <= example.augmented
        assert not example.augmented or code in (TRAIN, LEFT_OUT)


def test_a_lost_row_is_an_error() -> None:
    tally = SplitCounts()
    tally.add(pa.chunked_array([["a", "b"]]), np.array([TRAIN, TEST], np.int8))
    with pytest.raises(AssertionError, match="1 written"):
        tally.to_report(0, written=1)


def test_the_smallest_of_many_strata_are_merged() -> None:
    tally = SplitCounts()
    names = ["large"] * 9 + [f"s{i}" for i in range(MOST_HELD + 1)]
    tally.add(pa.chunked_array([names]), np.zeros(len(names), np.int8))
    strata = tally.to_report(0, written=len(names))["strata"]
    assert len(strata) == MAX_STRATA + 1 and strata["large"]["train"] == 9
    assert sum(row["train"] for row in strata.values()) == len(names)
