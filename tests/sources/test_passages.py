"""Rows joined into passages."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_rows import read_rows

from graft.records import Reject, Row
from graft.sources.passages import LEAST_REPEATED, join_rows, repeated

WORDS = st.text("ab c", min_size=1, max_size=LEAST_REPEATED - 1).filter(str.strip)


def rows(texts: Sequence[str], split: str | None = None) -> list[Row]:
    return [Row({"text": text}, f"f:{n}", split) for n, text in enumerate(texts, 1)]


def texts(found: Sequence[Row | Reject]) -> list[str]:
    return [row.values["text"] for row in found if isinstance(row, Row)]


@given(st.lists(WORDS, max_size=20), st.integers(1, 100))
def test_passages_contain_all_paragraphs_in_order(
    paragraphs: list[str], size: int
) -> None:
    found = texts(list(join_rows(rows(paragraphs), "text", size)))
    assert "\n\n".join(found) == "\n\n".join(paragraphs)
    assert all(len(text) >= size for text in found[:-1])


def test_a_passage_has_the_place_of_its_first_row() -> None:
    found = list(join_rows(rows(["abc", "def", "ghi", "jkl"]), "text", 5))
    assert [row.where for row in found] == ["f:1", "f:3"]
    assert [row.num_rows for row in found if isinstance(row, Row)] == [2, 2]


def test_a_passage_ends_with_its_split() -> None:
    both = [*rows(["a", "b"], "train"), *rows(["c"], "test")]
    found = list(join_rows(both, "text", 99))
    assert [(row.values["text"], row.split) for row in found if isinstance(row, Row)]
    assert texts(found) == ["a\n\nb", "c"]


def test_text_repeated_from_the_row_before_is_used_once() -> None:
    book = "".join(f"Sentence number {n} of the book. " for n in range(40))
    chunks = [book[at : at + 200] for at in range(0, len(book) - 40, 160)]
    found = texts(list(join_rows(rows(chunks), "text", 500)))
    assert len(found) > 1
    assert "".join(found).replace("\n\n", "") == book
    alone = texts(list(join_rows(rows(chunks), "text", 1)))
    assert "".join(alone) == book


@pytest.mark.parametrize(("length", "expected"), [(25, 25), (10, 0)])
def test_a_short_repetition_may_be_chance(length: int, expected: int) -> None:
    same = "abcdefghijklmnopqrstuvwxyz"[:length]
    assert repeated("before " + same, same + " after") == expected
    assert LEAST_REPEATED == 20


def test_a_row_without_text_is_passed_on_to_be_rejected() -> None:
    odd = [*rows(["a"]), Row({"text": 3}, "f:2"), Reject("f:3", "convert", *"abcd")]
    found = list(join_rows([*odd, *rows(["b"])], "text", 99))
    assert [row.where for row in found] == ["f:2", "f:3", "f:1"]


def test_a_text_file_is_read_in_passages(make_data, tmp_path) -> None:
    (tmp_path / "novel.txt").write_text("One.\n\nTwo.\nThree.\n")
    data = make_data(
        format="text",
        files={"all": "novel.txt"},
        fields={"text": "text"},
        passage=8,
    )
    found = list(read_rows(data))
    assert texts(found) == ["One.\n\nTwo.", "Three."]
    with pytest.raises(ValueError, match="single field"):
        make_data(passage=8)
