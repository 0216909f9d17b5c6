"""What MLflow passes to the registered model → conversations."""

from collections.abc import Iterable, Mapping
from typing import Any

from graft.errors import DataError
from graft.records import Message, Role

ROLES = ("system", "user", "assistant")
_FIX = "send texts, chats as {'messages': [...]}, or a table with one of these columns"


def to_conversations(
    model_input: Any, opens_documents: bool = False
) -> list[list[Message]]:
    """A conversation for each row, each of which ends with the user's turn.

    Args:
        opens_documents: whether the model continues documents: then a text is the
            beginning of one, the only turn of the assistant, not a turn of the user.
        model_input: a text or a chat, a list of them, or a table whose column `prompt`
            contains texts, or `messages` contains chats. A chat is a mapping with
            `messages`, each with `role` and `content`. MLflow turns all of them into a
            table with one column.
    Raises: DataError if it is something else, or empty.
    """
    role: Role = "assistant" if opens_documents else "user"
    if hasattr(model_input, "columns"):
        return _from_table(model_input, role)
    if isinstance(model_input, str | Mapping):
        return [_to_conversation(model_input, "input", role)]
    if not isinstance(model_input, Iterable):
        raise _refused("input", f"is {_kind(model_input)}")
    return _rows(model_input, "input", role)


def _from_table(table: Any, role: Role) -> list[list[Message]]:
    name = table.columns[0] if len(table.columns) else None
    chosen = next((c for c in ("messages", "prompt") if c in table.columns), name)
    if chosen not in ("messages", "prompt", "inputs", 0):
        raise _refused("the table", f"begins with the column {chosen!r}")
    cells = list(table[chosen])
    # MLflow takes the messages of a single chat for the rows of a table.
    if chosen == "messages" and cells and all(isinstance(c, Mapping) for c in cells):
        cells = [cells]
    return _rows(cells, f"column {chosen}", role)


def _rows(cells: Iterable[Any], where: str, role: Role) -> list[list[Message]]:
    found = [
        _to_conversation(cell, f"{where}, row {number}", role)
        for number, cell in enumerate(cells)
    ]
    if not found:
        raise _refused(where, "has no rows")
    return found


def _to_conversation(cell: Any, where: str, role: Role) -> list[Message]:
    """The conversation of a row. `role`: of a plain text."""
    if isinstance(cell, Mapping):
        known = [key for key in ("messages", "prompt") if key in cell]
        if len(cell) != 1 or not known:
            raise _refused(where, f"has the keys {', '.join(map(str, cell))}")
        return _to_conversation(cell[known[0]], f"{where}.{known[0]}", role)
    if isinstance(cell, str):
        if not cell.strip():
            raise _refused(where, "is blank")
        return [Message(role=role, content=cell)]
    if not isinstance(cell, Iterable):
        raise _refused(where, f"is {_kind(cell)}")
    messages = [_to_message(turn, where) for turn in cell]
    if not messages or messages[-1]["role"] != "user":
        raise _refused(where, "does not end with the user's message")
    return messages


def _to_message(turn: Any, where: str) -> Message:
    if not isinstance(turn, Mapping) or not {"role", "content"} <= set(turn):
        raise _refused(where, f"has a message {turn!r:.80} without role and content")
    role, content = turn["role"], turn["content"]
    if role not in ROLES or not isinstance(content, str):
        raise _refused(where, f"has a message of role {role!r}, {_kind(content)}")
    return Message(role=role, content=content)


def _kind(value: Any) -> str:
    return f"of type {type(value).__name__}"


def _refused(where: str, problem: str) -> DataError:
    return DataError(where, problem, expected=f"roles are {', '.join(ROLES)}", fix=_FIX)
