"""Near-duplicates: which pairs are found, and which are not."""

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from near_texts import CONFIG, STORY, TEXTS, are_two_near, find, plain

from graft.data.preprocess.near_duplicates.sets import to_sets


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
def test_texts_with_different_meanings_are_no_near_duplicates(
    one: str, other: str
) -> None:
    assert not are_two_near(one, other)
    assert find([one, other]).is_empty()


@pytest.mark.parametrize("more", ["Indeed", "Indeed it is"])
def test_a_short_text_may_gain_words_but_have_none_replaced(more: str) -> None:
    text = "The old king will find the short letters of his sister in the tower"
    assert are_two_near(text, f"{text} {more}")
    assert not are_two_near(text, text.replace("king", "queen"))


def test_a_lost_sentence_with_a_number_does_not_hide_a_copy() -> None:
    assert are_two_near(STORY + " There were 12 of us.", STORY)


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
