"""Convert a turn of a chat in common schemas to messages.

OpenAI's {role, content} and ShareGPT's {from, value}, with reasoning, tool calls and
loss weights in addition to the text. Anything that could change the meaning of a turn
is either converted or rejected by name; nothing is dropped silently.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from graft.data.convert.fields import Unfit, check_bytes
from graft.records import ANSWER_ROLES, Message, Role
from graft.tasks.tools import check_keys, to_calls

ROLES: Mapping[str, Role] = {
    **dict.fromkeys(["system", "developer"], "system"),
    **dict.fromkeys(["user", "human", "prompter"], "user"),
    **dict.fromkeys(["assistant", "gpt", "bot", "model", "chatgpt", "ai"], "assistant"),
    **dict.fromkeys(["function_call", "tool_call"], "tool_calls"),
    **dict.fromkeys(["tool", "function", "observation", "ipython"], "tool"),
    **dict.fromkeys(["tool_response", "tool_result"], "tool"),
}
"""Names of roles in OpenAI's, ShareGPT's, Llama's and Gemma's schemas."""
THINK = "<think>\n{}\n</think>\n\n"
REASONING = ("reasoning_content", "reasoning", "thinking", "thought")
WEIGHTS = ("weight", "loss_weight", "train", "learn", "trainable")
"""Keys for the loss weight of an answer in OpenAI's, Axolotl's and other schemas."""
CONTENT_KEYS = ("role", "content", "from", "value")
LABELS = ("id", "uuid", "message_id", "timestamp", "created_at", "index", "turn_id")
"""Keys that identify a turn and do not affect its meaning."""
_MARKS = ("cache_control", "signature")
"""Keys of a part that are meant for a server and do not affect its meaning."""
FIX = "correct the turn, or remove the chat"


def to_messages(turn: Mapping[str, Any]) -> list[Message]:
    """The messages of a turn: one, or a text and its tool calls.

    Raises: Unfit naming the unsupported part of the turn.
    """
    openai = "role" in turn
    name, content = (
        turn.get(k) for k in (CONTENT_KEYS[:2] if openai else CONTENT_KEYS[2:])
    )
    role = ROLES.get(str(name).lower())
    if role is None:
        raise Unfit(
            "unknown role",
            f"{name!r} in a turn with the keys {', '.join(turn)}",
            f"a turn with role and content, or from and value, by one of "
            f"{', '.join(ROLES)}",
            "write the turn in this format, or remove the chat",
        )
    _check_keys(turn, role, openai)
    learn = _carries_loss(turn, role)
    if role == "tool_calls":
        messages = [Message(role=role, content=to_calls(content))]
    else:
        messages = _to_parts(str(name), role, content, turn)
    for message in messages:
        check_bytes(str(name), message["content"])
        if not learn and role in ANSWER_ROLES:
            message["learn"] = False
    return messages


def _to_parts(
    name: str, role: Role, content: Any, turn: Mapping[str, Any]
) -> list[Message]:
    """The text of a turn, with its reasoning first, and its calls."""
    calls = turn.get("tool_calls") or turn.get("function_call") or []
    if turn.get("tool_calls") and turn.get("function_call"):
        expected = "tool_calls or function_call"
        raise Unfit("tool calls twice", turn["function_call"], expected, FIX)
    text, inner = "", []
    if not (calls and content in (None, "", [])):
        text, inner = ("", content) if isinstance(content, list) else (content, [])
        if not isinstance(text, str):
            raise _no_text(content)
    joined, thoughts, called = _join(inner)
    own = [turn[key] for key in REASONING if turn.get(key) not in (None, "")]
    text, thoughts = text + joined, [*own, *thoughts]
    for thought in thoughts:
        if not isinstance(thought, str) or role != "assistant":
            expected = "reasoning as text, in a turn of the assistant"
            raise Unfit("reasoning out of place", thought, expected, FIX)
    if len(own) > 1 or (own and "<think>" in text):
        raise Unfit("reasoning twice", own[0], "one reasoning text per turn", FIX)
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
        raise Unfit("empty turn", f"{name}: {content}", "text in every turn", FIX)
    return messages


def _join(parts: Sequence[Any]) -> tuple[str, list[str], list[Any]]:
    """Text, reasoning and calls of a turn in parts, as in multimodal chats."""
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
        "remove chats with images or audio, or write the turn as text",
    )


def _check_keys(turn: Mapping[str, Any], role: Role, openai: bool) -> None:
    """Raises: Unfit for an unknown key that is not empty."""
    known = {*(CONTENT_KEYS[:2] if openai else CONTENT_KEYS[2:]), *WEIGHTS, *LABELS}
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
                "remove the field if it has no meaning, or remove the chat",
            )


def _carries_loss(turn: Mapping[str, Any], role: Role) -> bool:
    """Whether a turn carries loss, by its own weight."""
    found = {key: turn[key] for key in WEIGHTS if turn.get(key) is not None}
    for key, value in found.items():
        if isinstance(value, int | float) and value not in (0, 1):
            expected = f"{key} 0 or 1; other weights are not supported"
            raise Unfit("fractional loss weight", f"{key}: {value}", expected, FIX)
        if not isinstance(value, int | float):
            expected = "true, false, 0 or 1"
            raise Unfit(f"wrong type in {key}", f"{key}: {value!r}", expected, FIX)
    if len(values := {bool(value) for value in found.values()}) > 1:
        raise Unfit("loss weights disagree", found, "one weight per turn", FIX)
    if True in values and role not in ANSWER_ROLES:
        expected = "loss on answers only"
        raise Unfit(f"loss on a {role} turn", found, expected, FIX)
    return False not in values
