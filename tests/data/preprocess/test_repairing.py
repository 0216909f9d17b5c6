"""Repairs of whole conversations."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from translation_pairs import preprocess_config

from graft.data.preprocess.repairing import repair

CONFIG = preprocess_config()
NONE = pl.DataFrame(schema={"row": pl.UInt32, "content": pl.String})
PIECES = st.sampled_from(
    ["a", " ", "\n", "\t", "<b>", "</b>", "<p>", "<br>", "&lt;", "&amp;", "amp;", "lt;"]
    + [
        "&gt;",
        "&#",
        "233;",
        "&Atilde;",
        "&copy;",
        "Ã",
        "©",
        "â€™",
        "‚Äô",
        "e",
        "\u0301",
    ]
    + [
        "\u200b",
        "\x85",
        "{",
        "}",
        "`",
        "```",
        "<!--",
        "-->",
        "</s>",
        "tag",
        "\u00a0",
        "È",
    ]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=20)


def to_turns(chats: list[list[str]]) -> pl.DataFrame:
    lines = [(row, text) for row, chat in enumerate(chats) for text in chat]
    return pl.DataFrame(lines, schema=NONE.schema, orient="row")


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=2), min_size=1, max_size=4))
def test_repairing_twice_is_the_same_as_once(
    chats: list[list[str]],
) -> None:
    once, _ = repair(to_turns(chats), NONE, CONFIG)
    twice, changed = repair(once, NONE, CONFIG)
    assert twice["content"].to_list() == once["content"].to_list()
    assert not any(changed.values())


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=2), min_size=1, max_size=4))
def test_a_row_is_repaired_as_if_it_were_alone(chats: list[list[str]]) -> None:
    together, _ = repair(to_turns(chats), NONE, CONFIG)
    alone = [repair(to_turns([chat]), NONE, CONFIG)[0] for chat in chats]
    assert together["content"].to_list() == pl.concat(alone)["content"].to_list()


def test_a_question_about_markup_keeps_the_answers_tags_and_blanks() -> None:
    chat = ["A heading in HTML?", "<h1>Title</h1>  &amp;   so on"]
    turns, changed = repair(to_turns([chat, ["A heading?", chat[1]]]), NONE, CONFIG)
    assert turns["content"].to_list() == [*chat, "A heading?", "Title & so on"]
    assert changed["html"] == 1


def test_a_technical_turn_makes_the_references_technical_too() -> None:
    references = to_turns([["<b>Title</b>"]])
    questions = to_turns([["Which tag makes text bold?"]])
    assert repair(references, questions, CONFIG)[0].equals(references)


def test_code_keeps_its_blanks() -> None:
    code = "  x = f(1);    // one\n\n\n\ny  = 22;\t// two"
    turns, _ = repair(to_turns([["Show me code", f"\r\n \n{code} \r\n"]]), NONE, CONFIG)
    assert turns["content"][1] == code
