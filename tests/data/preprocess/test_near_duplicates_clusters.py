"""Clusters of near-duplicates: which row is kept, and which groups are merged."""

import polars as pl
from near_texts import STORY, are_two_near, find

from graft.data.preprocess.near_duplicates.clusters import merge_groups, to_report


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


def test_no_rows_and_no_pairs_are_allowed() -> None:
    assert find([]).is_empty()
    assert merge_groups(
        pl.DataFrame(
            schema={"cluster": pl.Int64, "group": pl.String, "begins": pl.Int64}
        )
    ).is_empty()
