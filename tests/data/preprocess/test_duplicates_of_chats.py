"""Near-duplicates of conversations: text that many chats share does not count."""

from typing import Any

from translation_pairs import clean_rows, pair, preprocess_config

NEAR = preprocess_config(
    near_duplicates={"policy": "drop"},
    quality={"language": None},
    max_length_ratio=None,
)
STORY = "The old fisherman mended his nets by the harbour wall while the gulls cried"
PASSAGE = (
    "The bridge over the river Orme was opened in 1903 after eleven years of work. It "
    "was designed by Anna Keller, who had studied in Vienna, and built by the firm of "
    "Holt and Sons with stone from the quarries of Brenn. Two towers carry the deck, "
    "and each holds a small museum, which few of those who cross it ever visit."
)
ASKED = [
    ("Who designed the bridge?", "Anna Keller"),
    ("Who built the bridge?", "the firm of Holt and Sons"),
    ("Who built the bridge with stone?", "Holt and Sons"),
    ("Where had Anna Keller studied?", "Vienna"),
    ("Where had the bridge's designer studied?", "Vienna"),
    ("Is the bridge older than the museum?", "Yes"),
    ("Is the museum older than the bridge?", "Yes"),
]


def test_each_question_about_a_passage_is_an_example() -> None:
    for frame in ("{p}\n\n{q}", "{q}\n{p}", "Read this.\n{p}\nQuestion: {q}\nAnswer:"):
        rows = [
            pair(frame.format(p=PASSAGE, q=question), answer, n)
            for n, (question, answer) in enumerate(ASKED)
        ]
        assert not clean_rows(rows, NEAR).dropped


def test_a_question_repeated_with_other_punctuation_is_a_near_duplicate() -> None:
    question = "Who designed the bridge over the river that was opened after long work"
    rows = [
        pair(f"{PASSAGE}\n\n{question}?", "Anna Keller", 0),
        pair(f"{PASSAGE}\n\n{question.upper()} ...", "Anna Keller.", 1),
        pair(f"{PASSAGE}\n\n{question}, please?", "Anna Keller", 2),
    ]
    assert [r["where"] for r in clean_rows(rows, NEAR).dropped] == ["f:1", "f:2"]


def chat(n: int, *turns: str) -> dict[str, Any]:
    roles = ["system", "user", "assistant", "user", "assistant"]
    messages = [
        {"role": role, "content": text} for role, text in zip(roles, turns) if text
    ]
    return pair(None, "", n) | {"messages": messages}


def test_chats_with_the_same_beginning_but_different_ends_stay() -> None:
    rows = [
        chat(0, "", PASSAGE, STORY, "Say it in a shorter way", "It is a bridge"),
        chat(1, "", PASSAGE, STORY, "Say it in a longer way", "It is an old bridge"),
        chat(2, "", PASSAGE, STORY, "Say it in a kinder way", "It is a bridge"),
        chat(3, "", PASSAGE, STORY),
    ]
    assert not clean_rows(rows, NEAR).dropped


def test_a_system_turn_counts_by_its_content() -> None:
    rows = [
        chat(
            0, f"{PASSAGE} Today it is red.", "Is the review kind or is it not?", "no"
        ),
        chat(
            1,
            "A book that none of us could put down again",
            "Is the review kind or is it not?",
            "no",
        ),
    ]
    assert not clean_rows(rows, NEAR).dropped
