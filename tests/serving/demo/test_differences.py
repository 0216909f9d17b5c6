from hypothesis import given
from hypothesis import strategies as st

from graft.serving.demo.differences import mark, to_html, to_words

TEXTS = st.lists(st.sampled_from(["le", "chat", "dort", " ", " ", ".", "l'eau", "é\n"]))


@given(st.text(), st.text())
def test_the_parts_together_are_the_text(text: str, other: str) -> None:
    assert "".join(to_words(text)) == text
    assert "".join(part for part, _ in mark(text, other)) == text


@given(TEXTS.map("".join))
def test_nothing_is_marked_in_equal_texts(text: str) -> None:
    assert not any(marked for _, marked in mark(text, text))


@given(TEXTS.map("".join), TEXTS.map("".join))
def test_what_is_not_marked_stands_in_the_other_text_in_this_order(
    text: str, other: str
) -> None:
    words = iter(to_words(other))
    kept = [
        w for part, marked in mark(text, other) if not marked for w in to_words(part)
    ]
    assert all(word in words for word in kept)


def test_a_word_that_the_other_text_lacks_is_marked_whole() -> None:
    found = mark("Le chat noir dort.", "Le chat dort.")
    assert found == [("Le chat ", False), ("noir ", True), ("dort.", False)]


def test_words_side_by_side_are_marked_with_the_space_between_them() -> None:
    assert mark("un petit chien", "le grand chien")[0] == ("un petit", True)


def test_answers_cannot_add_markup_to_the_page() -> None:
    assert to_html("<b>a</b>", "<b>") == "&lt;b&gt;<mark>a&lt;/b&gt;</mark>"
    assert to_html("<i>") == "&lt;i&gt;"
