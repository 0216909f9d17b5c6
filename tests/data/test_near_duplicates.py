"""Near-duplicates: what is found, what is left alone, and that nothing else matters."""

import multiprocessing
import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.config.near_duplicates import NearDuplicatesConfig
from graft.data.near_duplicates import (
    MARKS,
    are_near,
    bands,
    join_pairs,
    join_sets,
    merge_groups,
    recall,
    to_clusters,
    to_keys,
    to_pairs,
    to_report,
    to_sets,
)

CONFIG = NearDuplicatesConfig(
    policy="drop", shingle=2, num_permutations=64, threshold=0.7, max_replaced=0.1
)
STORY = (
    "In the far north the ship stood fast in ice, and the crew waited for the wind to "
    "turn. On the third morning a stranger came over the floes with a sledge and two "
    "tired dogs, and asked in good English where we were bound before he would come on "
    "board at all."
)
FOREVER = 112201610991226943  # of the keys below; a change makes old keys useless
TEXTS = st.text(st.sampled_from("ab 1+é漢."), max_size=12)


def plain(texts: Sequence[str] | pl.Series) -> pl.DataFrame:
    """Texts without a prompt."""
    answer = pl.Series("answer", texts, dtype=pl.String)
    return answer.to_frame().with_columns(prompt=pl.lit(None, pl.String))


def are_two_near(one: str, other: str) -> bool:
    sets = to_sets(plain([one, other]), CONFIG)
    return bool(are_near(np.array([[0, 1]]), sets, CONFIG)[0])


def find(texts: list[str], rank: list[int] | None = None) -> pl.DataFrame:
    keys = to_keys(pl.Series(texts, dtype=pl.String), CONFIG)
    pairs = join_pairs(
        to_pairs(band, keys[:, :MARKS], CONFIG) for band in keys.T[MARKS:]
    )
    sets = to_sets(plain(texts), CONFIG)
    ranks = np.array(rank or [2] * len(texts))
    return to_clusters(pairs[are_near(pairs, sets, CONFIG)], ranks, sets, CONFIG)


@pytest.mark.parametrize(
    "copy",
    [
        STORY.upper(),
        STORY + " Indeed.",
        STORY.replace(",", " --").replace(".", "!"),
        STORY.replace("stranger", "traveller"),
        STORY + " He slept.",
        STORY + "\n\nHe slept.\n",
        STORY.replace("In the far north ", ""),
    ],
)
def test_a_copy_with_a_small_change_is_found(copy: str) -> None:
    assert find([STORY, "Nothing like it at all.", copy])["row"].to_list() == [0, 2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 3 + 4?", "What is 3 + 5?"),
        ("What is 3 + 4?", "What is 3 - 4?"),
        ("The cat sat on the mat.", "The cat sat on the hat."),
        (
            "Le chat est noir.\nThe cat is black.",
            "Le chien est noir.\nThe dog is black.",
        ),
        (
            "She thinks that the old king will find the short letters of his sister.",
            "She thinks that the old queen will find the short letters of his sister.",
        ),
        ("yes", "no"),
        ("...", "!!!"),
        ("", "."),
        ("これは本です", "これは犬です"),
        (STORY + "\nWho came over the ice?", STORY + "\nWhat did the crew want?"),
        (STORY + "\nA stranger.", STORY + "\nThe wind."),
        (STORY + " There were 12 of us.", STORY + " There were 15 of us."),
        (STORY + " It cost $5 and 5%.", STORY + " It cost 6€ and 6."),
    ],
)
def test_texts_that_say_different_things_stay_apart(one: str, other: str) -> None:
    assert not are_two_near(one, other)
    assert find([one, other]).is_empty()


@pytest.mark.parametrize("more", ["Indeed", "Indeed it is"])
def test_a_short_text_may_gain_words_but_have_none_replaced(more: str) -> None:
    text = "The old king will find the short letters of his sister in the tower"
    assert are_two_near(text, f"{text} {more}")
    assert not are_two_near(text, text.replace("king", "queen"))


def test_a_lost_sentence_with_a_number_does_not_hide_a_copy() -> None:
    assert are_two_near(STORY + " There were 12 of us.", STORY)


@given(st.lists(TEXTS, max_size=12), st.data())
def test_keys_and_sets_do_not_depend_on_the_batch(
    texts: list[str], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(texts)))
    column = pl.Series(texts, dtype=pl.String)
    parts = [column[:cut], column[cut:]]
    keys = np.concatenate([to_keys(part, CONFIG) for part in parts])
    assert np.array_equal(keys, to_keys(column, CONFIG))
    whole = to_sets(plain(column), CONFIG)
    joined = join_sets([to_sets(plain(part), CONFIG) for part in parts])
    for name in ("lines", "exact", "shingles", "numbers"):
        one, other = getattr(whole, name), getattr(joined, name)
        assert np.array_equal(one.hashes, other.hashes)
        assert np.array_equal(one.offsets, other.offsets)


@given(st.lists(TEXTS, min_size=2, max_size=6))
def test_similarity_is_the_jaccard_of_the_shingles(texts: list[str]) -> None:
    sets = to_sets(plain(texts), CONFIG).shingles
    pairs = np.array([(a, b) for a in range(len(texts)) for b in range(len(texts))])
    common = [len(_shingles(texts[a]) & _shingles(texts[b])) for a, b in pairs]
    assert sets.common(sets, *pairs.T).tolist() == common


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall("漢|[ab1é]+|[+]", text.lower()) or [text]
    words = ["#", *words, "#"]
    return {tuple(words[i : i + 2]) for i in range(len(words) - 1)}


def test_keys_are_the_same_in_another_process_and_for_ever() -> None:
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


def test_planted_copies_are_found_and_nothing_else() -> None:
    random = np.random.default_rng(7)
    vocabulary = np.array(
        [f"w{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(676)]
    )
    originals = vocabulary[random.integers(0, 676, (600, 60))]
    copies = originals[:300].copy()
    copies[np.arange(300), random.integers(0, 60, 300)] = "changed"
    texts = [" ".join(row) for row in (*originals, *copies)]
    found = find(texts)
    pairs = found.filter(pl.col("row") != pl.col("kept_for"))
    assert (pairs["row"] - pairs["kept_for"] == 600).all()
    assert pairs.height >= 297


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.75, 0.8, 0.9])
def test_bands_find_nineteen_of_twenty_pairs_at_the_threshold(threshold: float) -> None:
    config = CONFIG.model_copy(update={"threshold": threshold})
    number, rows = bands(config)
    assert number * rows <= 64
    assert recall(threshold, number, rows) >= 0.95
    assert recall(threshold, 64 // (rows + 1), rows + 1) < 0.95


def test_the_official_test_row_is_kept_and_else_the_first() -> None:
    texts = [STORY, STORY + " Yes.", STORY + " No."]
    assert find(texts)["kept_for"].to_list() == [0, 0, 0]
    assert find(texts, [2, 2, 0])["kept_for"].to_list() == [2, 2, 2]
    assert find(texts, [2, 1, 2])["cluster"].to_list() == [0, 0, 0]


def test_each_dropped_row_is_near_to_the_row_kept_for_it() -> None:
    words = [f"{a}{b}" for a in "abcdefghij" for b in "klmnopqrstuv"]
    chain = [" ".join(words[n : n + 80]) for n in range(0, 40, 2)]
    found = find(chain)
    assert found["cluster"].n_unique() == 1
    assert found["kept_for"].n_unique() > 1
    for row, kept in found.select("row", "kept_for").iter_rows():
        assert are_two_near(chain[row], chain[kept])


def test_clusters_join_groups_under_the_oldest_and_it_keeps_its_name() -> None:
    members = pl.DataFrame(
        {
            "cluster": [4, 4, 7, 7, 9, 9],
            "group": ["b", "c", "c", "d", "e", "e"],
            "begins": [2, 5, 5, 6, 1, 1],
        }
    )
    merged = merge_groups(members)
    assert dict(merged.iter_rows()) == {"c": "b", "d": "b"}


def test_the_report_counts_clusters_by_size_and_shows_the_largest() -> None:
    report = to_report(find([STORY, "one", STORY.upper(), "a b", "A b"]), num_shown=1)
    assert report["clusters"] == 2 and report["rows"] == 4 and report["repeats"] == 2
    assert report["sizes"] == {2: 2}
    assert report["largest"] == [{"size": 2, "rows": [0]}]


def test_no_rows_and_no_pairs_are_no_fault() -> None:
    assert find([]).is_empty()
    assert merge_groups(
        pl.DataFrame(
            schema={"cluster": pl.Int64, "group": pl.String, "begins": pl.Int64}
        )
    ).is_empty()
