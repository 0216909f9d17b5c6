import numpy as np
import pandas as pd
import pytest

from graft.errors import DataError
from graft.serving.model_inputs import to_conversations

HELLO = {"role": "user", "content": "Hello."}
CHAT = [{"role": "system", "content": "Be brief."}, HELLO]


@pytest.mark.parametrize(
    "given",
    [
        "Hello.",
        ["Hello."],
        np.array(["Hello."]),
        {"messages": [HELLO]},
        {"prompt": "Hello."},
        [{"messages": [HELLO]}],
        pd.DataFrame(["Hello."]),
        pd.DataFrame({"prompt": ["Hello."]}),
        pd.DataFrame({"id": [1], "prompt": ["Hello."]}),
        pd.DataFrame({"messages": [[HELLO]]}),
        pd.DataFrame({"messages": [np.array([HELLO])]}),
        pd.DataFrame([{"messages": [HELLO]}]),
    ],
)
def test_every_form_of_one_question_is_the_same_conversation(given):
    assert to_conversations(given) == [[HELLO]]


def test_a_text_for_a_model_of_documents_opens_one_and_a_chat_stays_a_chat():
    opened = [{"role": "assistant", "content": "Once"}]
    given = ["Once", {"prompt": "Once"}, {"messages": CHAT}]
    found = to_conversations(given, opens_documents=True)
    assert found == [opened, opened, CHAT]
    table = pd.DataFrame({"prompt": ["Once"]})
    assert to_conversations(table, opens_documents=True) == [opened]


def test_the_messages_of_one_chat_are_not_taken_for_rows():
    assert to_conversations(pd.DataFrame({"messages": CHAT})) == [CHAT]


def test_texts_and_chats_may_be_mixed():
    assert to_conversations(["Hello.", {"messages": CHAT}]) == [[HELLO], CHAT]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "has no rows"),
        ([" "], "is blank"),
        ([7], "of type int"),
        (7, "of type int"),
        (pd.DataFrame({"text": ["Hello."]}), "begins with the column 'text'"),
        ([HELLO], "has the keys role, content"),
        ([{"messages": [HELLO], "temperature": 0}], "has the keys"),
        ([{"messages": []}], "does not end with the user's message"),
        ([{"messages": [{"role": "assistant", "content": "x"}]}], "does not end"),
        ([{"messages": [{"role": "robot", "content": "x"}]}], "role 'robot'"),
        ([{"messages": [{"role": "user", "content": None}]}], "NoneType"),
        ([{"messages": ["Hello."]}], "without role and content"),
    ],
)
def test_anything_else_is_refused_with_its_place(given, problem):
    with pytest.raises(DataError, match=problem):
        to_conversations(given)
