"""Overlong conversations are truncated; an answer never loses all of its loss."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from graft.config import TokenizeConfig
from graft.data.tokenize.masks import Tokens, flatten
from graft.data.tokenize.truncation import CutSequence, cut_left, fit_to_limit
from graft.records import Encoded, Message

END, START = 0, 1
TEXT = st.text("ab ", min_size=1, max_size=20)


class Framed:
    """Token i is the character i. A start token comes first, a prompt is between `<`
    and `>`, and an end token follows an answer."""

    stop_ids = [END]

    def refusal(self, messages: Sequence[Message]) -> str:
        del messages
        return ""

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """The prompt as evaluation builds it."""
        return self._one(messages[:-1]).input_ids

    def to_tokens(self, batch: Sequence[Sequence[Message]]) -> Tokens:
        return flatten([self._one(messages) for messages in batch])

    def _one(self, messages: Sequence[Message]) -> Encoded:
        ids, mask = [START], [False]
        for message in messages:
            is_answer = message["role"] == "assistant"
            text = message["content"] if is_answer else f"<{message['content']}>"
            ids += [*map(ord, text), *[END] * is_answer]
            mask += [is_answer] * (len(text) + is_answer)
        return Encoded(ids, mask)

    def decode(self, ids: Sequence[int], *, start: bool = False) -> str:
        del start
        return "".join(chr(i) for i in ids if i > START)


def chat(*texts: str, system: str = "") -> list[Message]:
    """Alternating turns of user and assistant; the assistant is last."""
    first = [Message(role="system", content=system)] if system else []
    turns = reversed([*enumerate(reversed(texts))])
    return first + [
        Message(role="user" if i % 2 else "assistant", content=t) for i, t in turns
    ]


def cut(
    messages: list[Message], limit: int, overlong: str = "truncate_left"
) -> CutSequence:
    """The only remaining sequence."""
    config = TokenizeConfig.model_validate(
        {
            "max_seq_len": limit,
            "overlong": overlong,
            "overlap": 0,
            "trained_answers": "all",
            "num_shown": 0,
        }
    )
    long = Framed().to_tokens([messages]).row(0)
    (part,) = fit_to_limit(long, messages, Framed(), config)
    return part


def cut_to(limit: int, messages: Sequence[Message]) -> list[Message] | None:
    def fits(turns: Sequence[Message]) -> bool:
        return int(Framed().to_tokens([turns]).lengths[0]) <= limit

    return cut_left(messages, fits)


@given(st.lists(TEXT, min_size=1, max_size=7), st.sampled_from(["", "s"]), st.data())
def test_the_cut_conversation_fits_and_keeps_its_system_turn_and_its_answer(
    texts: list[str], system: str, data: st.DataObject
) -> None:
    messages = chat(*texts, system=system)
    longest = int(Framed().to_tokens([messages]).lengths[0])
    limit = data.draw(st.integers(8, max(longest, 9)))
    left = cut_to(limit, messages)
    if left is None:
        if len(texts) > 1 and texts[-2].strip():
            last = texts[-2][len(texts[-2].rstrip()) - 1 :]
            least = chat(last, texts[-1], system=system)
            assert int(Framed().to_tokens([least]).lengths[0]) > limit
        return
    assert int(Framed().to_tokens([left]).lengths[0]) <= limit
    assert left[-1] == messages[-1]
    assert [m for m in left if m["role"] == "system"] == messages[: bool(system)]
    turns, all_turns = left[bool(system) :], messages[bool(system) :]
    assert all_turns[-len(turns) + 1 :] == turns[1:]
    assert all_turns[-len(turns)]["content"].endswith(turns[0]["content"])


def test_the_oldest_questions_are_removed_first_with_their_answers() -> None:
    part = cut(chat("old", "a", "new", "b", "now", "c", system="s"), 18)
    assert part.messages == chat("new", "b", "now", "c", system="s")
    assert Framed().decode(part.encoded.input_ids) == "<s><new>b<now>c"


def test_then_the_last_question_loses_its_first_words() -> None:
    part = cut(chat("old", "a", "the cat sleeps\n\nwho?", "it"), 18)
    assert part.messages == chat("sleeps\n\nwho?", "it")


def test_a_word_that_is_too_long_is_cut_by_characters() -> None:
    assert cut(chat("abcdefghij", "xy"), 10).messages == chat("ghij", "xy")


def test_the_cut_prompt_is_the_one_that_evaluation_builds() -> None:
    part = cut(chat("a b c d e f", "answer"), 14)
    prompt = Framed().prompt(part.messages)
    assert part.encoded.input_ids[: len(prompt)] == prompt
    assert part.encoded.loss_mask == [
        place >= len(prompt) for place in range(len(part.encoded.input_ids))
    ]
    assert part.num_bytes == len("answer")


def test_an_answer_that_does_not_fit_leaves_nothing() -> None:
    assert cut_to(8, chat("ab", "much too long")) is None
    assert cut_to(8, chat("much too long")) is None


def test_truncated_at_the_right_some_of_the_answer_always_carries_loss() -> None:
    """Transformers #34494, TRL #3927: sequences without any loss were trained on."""
    part = cut(chat("ab", "abcdefgh"), 10, "truncate")
    assert Framed().decode(part.encoded.input_ids) == "<ab>abcde"
    assert (sum(part.encoded.loss_mask), part.num_bytes) == (5, 5)
    config = TokenizeConfig(
        max_seq_len=8,
        overlong="truncate",
        overlap=0,
        trained_answers="all",
        num_shown=0,
    )
    long = chat("abcdefgh", "a")
    complete = Framed().to_tokens([long]).row(0)
    assert not fit_to_limit(complete, long, Framed(), config)
