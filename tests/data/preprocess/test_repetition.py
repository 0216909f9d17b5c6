"""The repeated share of a text is measured; it is 0 without repetition."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.data.preprocess.repetition import MIN_REPEATS, MIN_RUN, repetition


def share(text: str) -> float:
    return float(repetition(pl.Series([text]))[0])


@pytest.mark.parametrize(
    "text",
    [
        "ha ha ha ha ha ha",
        "hahahahahahaha",
        "!!!!!!!!!!!!!!!!",
        "word word word word word word",
        "I do not know. " * 10,
        "The same line once more.\n" * 10,
        "Ha ha ha\nHa ha ha\n" * 5,
        "好的。" * 6,
        ("a longer piece, with a comma and more words than most " * 8).strip(),
        "The answer begins well enough, " + "but then it goes on " * 8,
        "no, " * 20 + "and that is the end of it.",
        "Well: " + "so it is, " * 9 + "they all say.",
    ],
)
def test_a_repeated_piece_is_found(text: str) -> None:
    assert share(text) > 0.5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no no no",
        "Tora! Tora! Tora!",
        "location, location, location",
        "0.333333333333333333",
        "1000000000000000000000000",
        "He laughed, ha ha ha ha ha ha, and went on to tell us all the rest of it.",
        "| a | b | c | d |\n| - | - | - | - |\n| 1 | 2 | 3 | 4 |",
        "Title\n==========\nA paragraph below a rule of ten signs.",
        "one two three four five six seven eight nine ten eleven twelve",
        "\n".join(f"{n}. Wash the {w}." for n, w in enumerate(("cup", "jug", "pan"))),
    ],
)
def test_speech_numbers_and_tables_are_no_repetition(text: str) -> None:
    assert share(text) == 0


@given(st.text(min_size=3, max_size=40), st.integers(MIN_REPEATS, 12))
def test_the_share_of_a_whole_repetition_is_one(piece: str, times: int) -> None:
    text = piece * times
    repeated = share(text)
    assert repeated in (0, 1)
    assert (
        repeated == 1
        or text.isdigit()
        or len(text) < MIN_RUN
        or not piece.isprintable()
    )


@given(st.lists(st.text(alphabet="ab ", max_size=60), max_size=8))
def test_the_share_of_a_text_does_not_depend_on_other_texts(texts: list[str]) -> None:
    together = repetition(pl.Series(texts, dtype=pl.String))
    assert together.to_list() == [share(text) for text in texts]
    assert all(value == 0 or 0.5 < value <= 1 for value in together)
