"""What the page shows, and how a chat goes on."""

from graft.records import Message
from graft.serving.demo.panel import continued
from graft.serving.demo.sides import Side
from graft.serving.demo.texts import to_card, to_cards, to_heading

USER = Message(role="user", content="Hello <b>")


def side(model: str, answer: str) -> Side:
    return Side(model, prompt=[USER], version="t/3", answer=answer)


def test_only_what_the_first_answer_lacks_is_marked_and_only_at_the_end() -> None:
    sides = [side("t@base", "Le chat."), side("t@champion", "Un chat.")]
    first, second = to_cards(sides, are_open=False, with_prompts=False)
    assert "<mark>" not in first and "<mark>Un</mark> chat." in second
    open_cards = to_cards(sides, are_open=True, with_prompts=False)
    assert "<mark>" not in "".join(open_cards)


def test_a_card_names_the_version_that_answered() -> None:
    card = to_card(side("t@champion", "Le chat."))
    assert "<strong>champion</strong>" in card and "t/3" in card
    assert to_card(Side("t/3")).count("3") == 1


def test_prompts_are_shown_in_chats_alone_and_never_as_markup() -> None:
    found = side("t", "<i>")
    assert "Hello" not in to_card(found)
    card = to_card(found, with_prompt=True)
    assert "Hello &lt;b&gt;" in card and "&lt;i&gt;" in card
    assert "<script>" not in to_heading("<script>", "<script>")


def test_an_error_and_an_empty_answer_are_told_apart() -> None:
    assert "an empty answer" in to_card(side("t", ""))
    found = side("t", "Le")
    found.error = "too < late"
    assert "too &lt; late" in to_card(found) and ">Le<" in to_card(found)


def test_a_chat_goes_on_with_the_same_models_and_its_answers() -> None:
    (next_one,) = continued([side("t", "Hi.")], ["t"])
    answer = Message(role="assistant", content="Hi.")
    assert next_one.before == [USER, answer] and not next_one.answer
    assert not continued([side("t", "Hi.")], ["t", "t/3"])
    assert not continued([], ["t"])


def test_a_question_without_an_answer_is_dropped_from_a_chat() -> None:
    failed = side("t", "")
    failed.before = [USER, Message(role="assistant", content="Hi.")]
    failed.prompt = [*failed.before, USER]
    assert continued([failed], ["t"])[0].before == failed.before
