"""Keys of near-duplicates depend on a text alone, and give few candidate pairs."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from near_texts import CONFIG, STORY, TEXTS, find, plain

from graft.data.preprocess.near_duplicates.pairs import join_pairs, to_pairs
from graft.data.preprocess.near_duplicates.sets import join_sets, to_sets
from graft.data.preprocess.near_duplicates.signatures import (
    MARKS,
    bands,
    recall,
    to_keys,
)

FOREVER = 112201610991226943  # of the keys below; a change makes old keys useless


@given(st.lists(TEXTS, max_size=12), st.data())
def test_keys_and_sets_do_not_depend_on_the_batch(
    texts: list[str], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(texts)))
    column = pl.Series(texts, dtype=pl.String)
    parts = [column[:cut], column[cut:]]
    keys = np.concatenate([to_keys(part, CONFIG) for part in parts])
    assert np.array_equal(keys, to_keys(column, CONFIG))
    at_once = to_sets(plain(column), CONFIG)
    joined = join_sets([to_sets(plain(part), CONFIG) for part in parts])
    for name in ("lines", "exact", "shingles", "numbers"):
        one, other = getattr(at_once, name), getattr(joined, name)
        assert np.array_equal(one.hashes, other.hashes)
        assert np.array_equal(one.offsets, other.offsets)


def test_keys_are_the_same_in_another_process_and_version() -> None:
    column = pl.Series([STORY, "3 + 4", ""])
    here = to_keys(column, CONFIG)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert np.array_equal(pool.submit(to_keys, column, CONFIG).result(), here)
    assert np.bitwise_xor.reduce(here, axis=None) == FOREVER


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=12))
def test_a_band_links_all_its_rows_and_no_others(
    keys: list[tuple[int, int]],
) -> None:
    band, numbers = np.array(keys, np.uint64).reshape(-1, 2).T
    marks = np.stack((numbers << np.uint64(16) | np.uint64(9), band, band), axis=1)
    pairs = to_pairs(band, marks, CONFIG)
    assert all(band[a] == band[b] and a < b for a, b in pairs)
    assert len(pairs) <= 3 * len(band)
    near = {tuple(pair) for pair in pairs.tolist()}
    for key in set(band.tolist()):
        rows = np.flatnonzero(band == key).tolist()
        assert all(any(row in pair for pair in near) for row in rows if len(rows) > 1)
        if len(rows) <= 3:
            assert {(a, b) for a in rows for b in rows if a < b} <= near


def test_rows_that_share_one_of_two_sentences_are_seldom_compared() -> None:
    def sentence(start: int, size: int) -> str:
        return " ".join(f"w{number}" for number in range(start, start + size)) + "."

    texts = [
        f"{sentence(first * 100, 12)} {sentence(second * 100, 6)}"
        for first in range(20)
        for second in range(50, 70)
    ]
    keys = to_keys(pl.Series(texts), CONFIG)
    pairs = [to_pairs(band, keys[:, :MARKS], CONFIG) for band in keys.T[MARKS:]]
    assert len(join_pairs(pairs)) < len(texts) / 4


def test_a_template_of_any_size_does_not_hide_its_own_copies() -> None:
    template = STORY + " Their names were {} and {}."
    texts = [template.format(n, n + 1) for n in range(300)]
    found = find([*texts, texts[200].lower()])
    assert found["row"].to_list() == [200, 300]


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.75, 0.8, 0.9])
def test_bands_find_nineteen_of_twenty_pairs_at_the_threshold(threshold: float) -> None:
    config = CONFIG.model_copy(update={"threshold": threshold})
    number, rows = bands(config)
    assert number * rows <= 64
    assert recall(threshold, number, rows) >= 0.95
    assert recall(threshold, 64 // (rows + 1), rows + 1) < 0.95
