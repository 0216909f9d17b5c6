"""Near-duplicates with prompts: shared prompt text does not count, nor hide a copy."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from near_texts import CONFIG, STORY

from graft.data.preprocess.near_duplicates.nearness import are_near
from graft.data.preprocess.near_duplicates.sets import to_sets

PASSAGE = (
    f"{STORY} The bridge was designed by Anna Keller, who had studied in Vienna, and "
    "built by the firm of Holt with stone from the quarries of Brenn. Two towers carry "
    "the deck, and each holds a small museum that few who cross it ever visit."
)
LINES = ["{p}\n\n{q}", "{q}\n{p}", "Read this.\n{p}\nQuestion: {q}\nAnswer:"]
ONE_LINE = [
    "{p} {q}",
    "{q} {p}",
    "Context: {p} Question: {q} Answer:",
    "Read the text. Text: {p} Q: {q} A:",
    "passage: {p} question: {q}",
    "[INST] {p} [/INST] {q}",
    "{p} - {q}",
    'Answer "{q}" from this: {p}',
    "<context>{p}</context><question>{q}</question>",
]
FRAMES = st.sampled_from(LINES + ONE_LINE)
QUESTIONS_ABOUT = [
    "Is the bridge older than the museum?",
    "Is the museum older than the bridge?",
    "Was the bridge built in Vienna?",
    "Was the bridge built after the towers?",
    "Does it hold 3.5 tons?",
    "Does it hold 4.5 tons?",
]
INSTRUCTIONS = [
    "Name the one who designed it in a short sentence.",
    "Say in which town she studied and for how long.",
    "Give two reasons why the crew had to wait.",
]


def _questions(words: str) -> st.SearchStrategy[str]:
    chosen = st.lists(st.sampled_from(words.split()), min_size=3, max_size=9)
    return chosen.map(lambda question: f"{' '.join(question)}?")


QUESTIONS = _questions("king queen ship letter walks sees old green never soon")
OTHERS = _questions("lamp river song writes hears cold yellow often later horse")


def are_near_examples(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two prompts with their answers are near, in either order."""
    examples = pl.DataFrame([one, other], schema=["prompt", "answer"], orient="row")
    sets = to_sets(examples, CONFIG)
    forth, back = are_near(np.array([[0, 1], [1, 0]]), sets, CONFIG)
    assert forth == back
    return bool(forth)


@pytest.mark.parametrize("frame", LINES + ONE_LINE)
def test_two_questions_about_a_passage_are_two_examples(frame: str) -> None:
    for questions in (QUESTIONS_ABOUT, INSTRUCTIONS):
        prompts = [frame.format(p=PASSAGE, q=question) for question in questions]
        for at, one in enumerate(prompts):
            for other in prompts[:at]:
                assert not are_near_examples((one, "yes"), (other, "yes"))


@pytest.mark.parametrize("frame", LINES + ONE_LINE)
@pytest.mark.parametrize(
    "variant",
    [
        PASSAGE.replace("stranger", "traveller"),
        PASSAGE + " It is red.",
        PASSAGE.replace("Two towers carry the deck", "Towers carry the deck"),
        PASSAGE.upper(),
    ],
)
def test_two_questions_are_two_examples_even_if_the_passages_differ_slightly(
    frame: str, variant: str
) -> None:
    one, other = QUESTIONS_ABOUT[:2]
    first = (frame.format(p=PASSAGE, q=one), "yes")
    assert not are_near_examples(first, (frame.format(p=variant, q=other), "yes"))
    assert are_near_examples(first, (frame.format(p=variant, q=one), "yes"))


@given(FRAMES, QUESTIONS, OTHERS)
def test_questions_without_a_common_word_are_two_examples(
    frame: str, one: str, other: str
) -> None:
    prompts = [frame.format(p=PASSAGE, q=question) for question in (one, other)]
    assert not are_near_examples((prompts[0], "no"), (prompts[1], "no"))


@given(FRAMES, QUESTIONS, st.sampled_from(["yes", "Anna Keller", "in 1903", STORY]))
def test_case_and_punctuation_do_not_matter(
    frame: str, question: str, answer: str
) -> None:
    prompt = frame.format(p=PASSAGE, q=question)
    copy = prompt.replace(",", ";").replace("the", "THE")
    assert are_near_examples((prompt, answer), (copy, answer.upper() + "."))


@given(FRAMES, QUESTIONS)
def test_other_answers_are_other_examples(frame: str, question: str) -> None:
    prompt = frame.format(p=PASSAGE, q=question)
    assert not are_near_examples((prompt, "Anna Keller"), (prompt, "Holt and Sons"))
    assert not are_near_examples((prompt, "yes"), (prompt, "no"))


SHOTS = ["a film to be seen twice", "no one laughed that night", "the cast is lovely"]


@pytest.mark.parametrize(
    "shot",
    ["Review: {}\nSentiment: {}\n\n", "Review: {} Sentiment: {} ", "{} -> {}; "],
)
def test_items_in_a_common_frame_of_shots_are_examples(shot: str) -> None:
    frame = "".join(shot.format(text, "good") for text in SHOTS * 4)
    prompts = [
        frame + shot.format(item, "").rstrip(" ;\n")
        for item in ("worth every single penny", "what a great evening out")
    ]
    assert not are_near_examples((prompts[0], "good"), (prompts[1], "good"))


@pytest.mark.parametrize("frame", ["{}", "Classify.\n{}", "Classify. Text: {} Label:"])
def test_a_long_text_with_a_word_replaced_is_a_copy_with_the_same_label(
    frame: str,
) -> None:
    copy = PASSAGE.replace("stranger", "traveller")
    pair = (frame.format(PASSAGE), "news"), (frame.format(copy), "news")
    assert are_near_examples(*pair)
    assert not are_near_examples(pair[0], (pair[1][0], "sports"))
