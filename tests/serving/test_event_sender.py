"""Events on their way from the engine's process to the API."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from graft.inference.requests import TokensEvent
from graft.serving.event_sender import MAX_EVENTS_PER_S, EventSender, Outbox


def event(key: int, token: int, finish: Any = None) -> TokensEvent:
    return TokensEvent(key, [token], [], f"{token} ", finish)


def test_a_row_alone_sends_each_token() -> None:
    outbox = Outbox()
    for token in range(5):
        outbox.add(event(1, token))
        assert outbox.take(now_s=token * 0.01) == [event(1, token)]


def test_many_rows_send_the_tokens_of_a_while_together() -> None:
    rows = range(MAX_EVENTS_PER_S // 10)  # one event of each takes 0.1 s
    outbox, sent = Outbox(), []
    for step in range(40):
        for row in rows:
            outbox.add(event(row, step))
        sent.append(len(outbox.take(now_s=step * 0.0101)))
    assert sent[:2] == [len(rows), len(rows)]  # the first tokens, and those after them
    assert sum(sent[2:]) <= len(rows) * 4
    assert 0 < (outbox.wait_s(now_s=0.394) or 0) <= 0.1


def test_the_first_token_and_the_end_of_a_row_do_not_wait() -> None:
    outbox = Outbox()
    for row in range(1000):
        outbox.add(event(row, 0))
    outbox.take(now_s=0)
    for token in (1, 2):
        outbox.add(event(7, token))
        outbox.add(event(8, token))
        outbox.take(now_s=token / 1000)  # the first of them is due
    outbox.add(event(1000, 0))
    outbox.add(event(7, 3, "length"))
    first, end = outbox.take(now_s=0.003)
    assert (first.key, end.key, end.finish) == (1000, 7, "length")
    assert end.tokens == [2, 3] and end.text == "2 3 "


def test_a_key_that_comes_again_after_its_end_is_a_new_row() -> None:
    outbox = Outbox()
    outbox.add(event(1, 0, "stop"))
    outbox.add(event(1, 1))
    assert outbox.take(now_s=0) == [event(1, 0, "stop"), event(1, 1)]


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 9), st.floats(0, 0.01)), max_size=60
    )
)
def test_no_token_is_lost_or_changes_its_place(
    steps: list[tuple[int, int, float]],
) -> None:
    outbox, now, sent = Outbox(), 0.0, []
    for row, token, pause in steps:
        outbox.add(event(row, token))
        now += pause
        sent += outbox.take(now)
    sent += outbox.take(float("inf"))
    for row in range(5):
        tokens = [token for one in sent if one.key == row for token in one.tokens]
        texts = "".join(one.text for one in sent if one.key == row)
        assert tokens == [token for other, token, _ in steps if other == row]
        assert texts == "".join(f"{token} " for token in tokens)


def test_the_sender_sends_all_events_before_it_is_done() -> None:
    sent: list[tuple[str, Any]] = []
    sender = EventSender(sent.append)
    for token in range(100):
        sender.put("event", event(1, token))
    sender.put("reply", None)
    sender.close()
    events = [one for kind, many in sent if kind == "events" for one in many]
    assert [token for one in events for token in one.tokens] == list(range(100))
    assert [kind for kind, _ in sent if kind != "events"] == ["reply", "done"]
    assert sent[-1] == ("done", None)
