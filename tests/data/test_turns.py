"""The turns of conversations, as columns."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from translation_pairs import pair

from graft.data import turns
from graft.data.columns import from_lines, to_frame
from graft.records import EXAMPLE_SCHEMA

ROLE = st.sampled_from(["system", "user", "assistant"])
CHAT = st.lists(
    st.fixed_dictionaries(
        {
            "role": ROLE,
            "content": st.text(max_size=3),
            "learn": st.sampled_from([None, False]),
        }
    ),
    min_size=1,
    max_size=4,
)


@given(st.lists(CHAT, max_size=5), st.integers(1, 3), st.booleans())
def test_sides_by_column_are_those_by_row(
    chats: list[list[dict[str, Any]]], times: int, alike: bool
) -> None:
    if alike:
        chats = chats[:1] * times
    lines = [pair(None, "", n, messages=chat) for n, chat in enumerate(chats)]
    found = turns.unfold(to_frame(from_lines(lines, EXAMPLE_SCHEMA)))
    slow = turns._of_any_roles(found)  # pylint: disable=protected-access
    assert turns.sides(found).equals(slow)
    assert turns.sides(found).schema == slow.schema
    assert turns.fold(found).to_list() == chats
