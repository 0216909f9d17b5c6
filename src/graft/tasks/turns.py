"""A turn of a chat in the schemas that people write → messages.

OpenAI's {role, content} and ShareGPT's {from, value}, with reasoning, tool calls and
loss weights beside the text. What could change the meaning of a turn is taken or
refused by name; nothing vanishes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from graft.data.convert.fields import Unfit, check_bytes
from graft.records import Message, Role
from graft.tasks.tools import check_keys, to_calls

ROLES: Mapping[str, Role] = {
    **dict.fromkeys(["system", "developer"], "system"),
    **dict.fromkeys(["user", "human", "prompter"], "user"),
    **dict.fromkeys(["assistant", "gpt", "bot", "model", "chatgpt", "ai"], "assistant"),
    **dict.fromkeys(["function_call", "tool_call"], "tool_calls"),
    **dict.fromkeys(["tool", "function", "observation", "ipython"], "tool"),
    **dict.fromkeys(["tool_response", "tool_result"], "tool"),
}
"""Names of who speaks, in OpenAI's, ShareGPT's, Llama's and Gemma's schemas."""
THINK = "<think>\n{}\n</think>\n\n"
REASONING = ("reasoning_content", "reasoning", "thinking", "thought")
WEIGHTS = ("weight", "loss_weight", "train", "learn", "trainable")
"""Whether an answer carries loss, in OpenAI's, Axolotl's and others' schemas."""
SAID = ("role", "content", "from", "value")
LABELS = ("id", "uuid", "message_id", "timestamp", "created_at", "index", "turn_id")
"""They say which turn it is, and nothing about what is said."""
_MARKS = ("cache_control", "signature")
"""Of a part: for its server, and nothing about what is said."""
ANSWERS = ("assistant", "tool_calls")
FIX = "correct the turn, or leave the chat out"


def to_messages(turn: Mapping[str, Any]) -> list[Message]:
    """The messages of a turn: one, or a text and the tool calls beside it.

    Raises: Unfit naming what of the turn cannot be taken.
    """
    openai = "role" in turn
    name, said = (turn.get(k) for k in (SAID[:2] if openai else SAID[2:]))
    role = ROLES.get(str(name).lower())
    if role is None:
        raise Unfit(
            "unknown role",
            f"{name!r} in a turn with the keys {', '.join(turn)}",
            f"a turn with role and content, or from and value, by one of "
            f"{', '.join(ROLES)}",
            "write the turn so, or leave the chat out",
        )
    _check_keys(turn, role, openai)
    learn = _learns(turn, role)
    if role == "tool_calls":
        messages = [Message(role=role, content=to_calls(said))]
    else:
        messages = _said(str(name), role, said, turn)
    for message in messages:
        check_bytes(str(name), message["content"])
        if not learn and role in ANSWERS:
            message["learn"] = False
    return messages


def _said(name: str, role: Role, said: Any, turn: Mapping[str, Any]) -> list[Message]:
    """What a turn says, its reasoning first, and the calls beside it."""
    calls = turn.get("tool_calls") or turn.get("function_call") or []
    if turn.get("tool_calls") and turn.get("function_call"):
        expected = "tool_calls or function_call"
        raise Unfit("tool calls twice", turn["function_call"], expected, FIX)
    text, inner = "", []
    if not (calls and said in (None, "", [])):
        text, inner = ("", said) if isinstance(said, list) else (said, [])
        if not isinstance(text, str):
            raise _no_text(said)
    spoken, thoughts, called = _join(inner)
    own = [turn[key] for key in REASONING if turn.get(key) not in (None, "")]
    text, thoughts = text + spoken, [*own, *thoughts]
    for thought in thoughts:
        if not isinstance(thought, str) or role != "assistant":
            expected = "reasoning as text, in a turn of the assistant"
            raise Unfit("reasoning out of place", thought, expected, FIX)
    if len(own) > 1 or (own and "<think>" in text):
        raise Unfit("reasoning twice", own[0], "one text of reasoning a turn", FIX)
    if thoughts:
        text = THINK.format("\n".join(thoughts).strip()) + text
    calls = [*called, *([calls] if isinstance(calls, Mapping | str) else calls)]
    messages = []
    if calls and role != "assistant":
        raise Unfit("tool calls out of place", calls, "calls by the assistant", FIX)
    if text.strip():
        messages.append(Message(role=role, content=text))
    if calls:
        messages.append(Message(role="tool_calls", content=to_calls(calls)))
    if not messages:
        raise Unfit("empty turn", f"{name}: {said}", "text in every turn", FIX)
    return messages


def _join(parts: Sequence[Any]) -> tuple[str, list[str], list[Any]]:
    """A turn in parts, as multimodal chats have it: its text, reasoning and calls."""
    texts, thoughts, calls = [], [], []
    for part in parts:
        kind = part.get("type") if isinstance(part, Mapping) else None
        values = [part.get(k) for k in ("text", "value", str(kind))] if kind else []
        text = next((v for v in values if isinstance(v, str)), None)
        if text is not None:
            known = {"type", "text", "value", str(kind), *_MARKS, *LABELS}
            check_keys(part, known, "part of a turn", "its type and its text")
        if kind == "text" and text is not None:
            texts.append(text)
        elif kind in ("reasoning", "thinking") and text is not None:
            thoughts.append(text)
        elif kind == "tool_call" and text is not None:
            calls.append(text)
        else:
            raise _no_text(part)
    return "".join(texts), thoughts, calls


def _no_text(value: object) -> Unfit:
    kind = value.get("type") if isinstance(value, Mapping) else None
    return Unfit(
        f"a part of a turn is {kind}" if kind else "a turn is not text",
        value,
        "text, or a list of parts of type text, reasoning or tool_call",
        "leave out chats with pictures or sound, or write the turn as text",
    )


def _check_keys(turn: Mapping[str, Any], role: Role, openai: bool) -> None:
    """Raises: Unfit at a key that says something and is not known."""
    known = {*(SAID[:2] if openai else SAID[2:]), *WEIGHTS, *LABELS}
    if role != "tool_calls":
        known |= {*REASONING, "tool_calls", "function_call"}
    if role == "tool":
        known |= {"name", "tool_call_id"}
    for key, value in turn.items():
        if key not in known and value not in (None, "", [], {}):
            raise Unfit(
                f"unknown field {key} of a turn",
                f"{key}: {value} in a turn of {role}",
                f"only {', '.join(sorted(known - {*LABELS}))}",
                "remove the field if it means nothing, or leave the chat out",
            )


def _learns(turn: Mapping[str, Any], role: Role) -> bool:
    """Whether a turn carries loss, as far as it says so itself."""
    found = {key: turn[key] for key in WEIGHTS if turn.get(key) is not None}
    for key, value in found.items():
        if isinstance(value, int | float) and value not in (0, 1):
            expected = f"{key} 0 or 1; other weights are not supported"
            raise Unfit("fractional loss weight", f"{key}: {value}", expected, FIX)
        if not isinstance(value, int | float):
            expected = "true, false, 0 or 1"
            raise Unfit(f"wrong type in {key}", f"{key}: {value!r}", expected, FIX)
    if len(values := {bool(value) for value in found.values()}) > 1:
        raise Unfit("loss weights disagree", found, "one weight a turn", FIX)
    if True in values and role not in ANSWERS:
        expected = "loss on answers only"
        raise Unfit(f"loss on a {role} turn", found, expected, FIX)
    return False not in values
