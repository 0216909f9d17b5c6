"""Chats: word problems of one or two turns, thought through before the answer."""

from random import Random
from typing import Any

from sample.nouns import Noun, of_kinds
from sample.phrases import NAMES

from .sums import CHAINS, SINGLES, Sum

NUM_CHATS = 2_000
_FOLLOWED = 0.25
_SYSTEM = 0.3
_SYSTEMS = (
    "You help children with numbers.",
    "Think, then answer.",
    "You are a patient teacher.",
)
_NAMES = tuple(name.en for name in NAMES)
# a and b are amounts of the same things, as in: 3 apples.
_PROBLEMS = {
    "sum": (
        "{who} has {a}. {other} gives {who} {b}. "
        "How many {things} does {who} have now?",
        "{who} has {a} and buys {b}. How many {things} does {who} have?",
        "{who} finds {a} in the morning and {b} in the evening. "
        "How many {things} does {who} have?",
    ),
    "difference": (
        "{who} has {a}. {who} loses {b}. How many {things} does {who} have now?",
        "{who} has {a} and gives {other} {b}. How many {things} does {who} keep?",
        "{who} buys {a} and sells {b}. How many {things} does {who} have?",
    ),
    "comparison": (
        "{who} has {a}. {other} has {b}. "
        "How many more {things} does {who} have than {other}?",
        "{other} has {b} and {who} has {a}. "
        "How many more {things} does {who} have than {other}?",
    ),
}
_NEXT = {
    "+": ("And with {b} more?", "And if {who} buys {b} more?", "{who} finds {b} more."),
    "-": ("And with {b} less?", "And if {who} loses {b}?", "{who} sells {b}."),
}
_SAID = "<think>\n{sum}\n</think>\n\n{who} has {count}.\n#### {result}"


def chats(rng: Random) -> list[dict[str, Any]]:
    """Rows of the file, none of them twice."""
    found: dict[str, dict[str, Any]] = {}
    while len(found) < NUM_CHATS:
        row = _chat(rng)
        key = " ".join(turn["content"] for turn in row["messages"])
        found.setdefault(key, row)
    return list(found.values())


def _chat(rng: Random) -> dict[str, Any]:
    followed = rng.random() < _FOLLOWED
    sums = rng.choice(CHAINS) if followed else (rng.choice(SINGLES),)
    first = sums[0]
    kind = "sum" if first.sign == "+" else "difference"
    if not followed and first.sign == "-" and rng.random() < 0.5:
        kind = "comparison"
    who, other = rng.sample(_NAMES, 2)
    noun = rng.choice(of_kinds("FRCTA"))
    asked = rng.choice(_PROBLEMS[kind]).format(
        who=who,
        other=other,
        a=_amount(first.left, noun),
        b=_amount(first.right, noun),
        things=noun.en_plural,
    )
    messages = [_turn("user", asked), _answer(kind, who, noun, first)]
    if followed:
        more = rng.choice(_NEXT[sums[-1].sign]).format(who=who, b=sums[-1].right)
        messages += [_turn("user", more), _answer(kind, who, noun, sums[-1])]
        kind = "follow_up"
    if rng.random() < _SYSTEM:
        messages.insert(0, _turn("system", rng.choice(_SYSTEMS)))
    answer = str(sums[-1].result)
    return {"messages": messages, "answer": answer, "kind": kind, "group": first.group}


def _answer(kind: str, who: str, noun: Noun, made: Sum) -> dict[str, str]:
    count = _amount(made.result, noun)
    if kind == "comparison":
        count = count.replace(" ", " more ", 1)
    text = _SAID.format(sum=made, who=who, count=count, result=made.result)
    return _turn("assistant", text)


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _amount(value: int, noun: Noun) -> str:
    return f"{value} {noun.en if value == 1 else noun.en_plural}"
