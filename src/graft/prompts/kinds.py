"""Kinds of values in a chat template, by what they carry of the messages."""

from enum import Enum

from jinja2 import nodes as n
from jinja2.ext import Extension
from jinja2.parser import Parser


class Kind(Enum):
    """What a value carries."""

    PLAIN = "nothing said"
    TEXT = "contents, each of them whole, and what stands around; or nothing said"
    TURN = "a message"
    TURNS = "messages"


PLAIN, TEXT, TURN, TURNS = Kind

# What a type test says of any text.
OF_TEXT = {"defined": True, "string": True, "iterable": True, "sequence": True}
OF_TEXT |= {"undefined": False, "none": False, "mapping": False, "number": False}
FILTERS = {(TEXT, "trim"): TEXT, (TEXT, "string"): TEXT, (TURNS, "length"): PLAIN}
FILTERS |= {(TURNS, "count"): PLAIN, (TURNS, "first"): TURN, (TURNS, "last"): TURN}
STRIPS = {"strip", "lstrip", "rstrip"}


class LooksError(Exception):
    """The template may do more with a content than write it."""


class Generation(Extension):
    """Reads a {% generation %} as a Scope."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> n.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return n.Scope(body, lineno=line)


def stop_unless(harmless: bool) -> None:
    """Raises: LooksError."""
    if not harmless:
        raise LooksError


def either(one: Kind, other: Kind) -> Kind:
    """What carries the one or the other. Turns are not mixed with anything, so that
    it is sure what their keys are. Raises: LooksError."""
    stop_unless(one is other or {one, other} == {PLAIN, TEXT})
    return one if one is other else TEXT


def reading(node: n.Node) -> tuple[n.Node, str] | None:
    """What a constant key is read of, and the key; None if this is no such thing."""
    match node:
        case n.Getattr(node=base, attr=key):
            return base, key
        case n.Getitem(node=base, arg=n.Const(value=str() as key)):
            return base, key
    return None


def is_bare(node: n.Test | n.Filter | n.Call) -> bool:
    """Whether it has no arguments."""
    return not (node.args or node.kwargs or node.dyn_args or node.dyn_kwargs)


def is_number(node: n.Node) -> bool:
    """Whether it can be nothing but a number. What is added to one is one."""
    match node:
        case n.Const(value=int()) | n.Filter(name="length" | "count"):
            return True
        case n.Getattr(node=n.Name(name="loop"), attr=attr):
            return attr in {"index", "index0", "revindex", "revindex0", "length"}
        case n.Neg(node=value):
            return is_number(value)
        case n.Add(left=left, right=right) | n.Sub(left=left, right=right):
            return is_number(left) or is_number(right)
    return False
