"""Chat templates rendered with symbolic contents, which can be written and not read.

Where that succeeds, a conversation's contents decide nothing of its text but what
stands in their own places.
"""

import re
from collections.abc import Callable, Iterable
from functools import partialmethod
from typing import NoReturn

from jinja2 import Template, nodes
from jinja2.compiler import Frame
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.sandbox import ImmutableSandboxedEnvironment


class ContentReadError(BaseException):
    """The template reads a content. Not an Exception, some of which Jinja catches."""


def _refuse(*_: object) -> NoReturn:
    raise ContentReadError


class SymbolicText:
    """Any content that is not empty and has no whitespace at its edges; or a text with
    such contents in it.

    What is the same for all of them is answered. Whether a content equals, contains,
    begins or ends with a text is answered with False. Every other use of a string
    raises ContentReadError.

    Args:
        text: has a placeholder for each content.
        assume: is given each method that was answered with False, and its argument.
    """

    def __init__(self, text: str, assume: Callable[[str, str], None] = _refuse) -> None:
        self._text = text
        self._assume = assume

    def __bool__(self) -> bool:
        return True

    def __add__(self, other: object) -> object:
        return join([self, other]) if isinstance(other, TEXTS) else _refuse()

    def __radd__(self, other: object) -> object:
        return join([other, self]) if isinstance(other, TEXTS) else _refuse()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TEXTS) and self._deny("__eq__", other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def _deny(self, method: str, text: object) -> bool:
        if not isinstance(text, str):
            raise ContentReadError
        self._assume(method, text)
        return False  # pylint: disable=unreachable  # `assume` need not raise

    def _strip(self, method: str, spaces: str | None = None) -> "SymbolicText":
        if spaces is not None and not spaces.isspace():
            raise ContentReadError
        return SymbolicText(getattr(self._text, method)(spaces), self._assume)

    __hash__ = _refuse
    __contains__ = partialmethod(_deny, "__contains__")
    startswith = partialmethod(_deny, "startswith")
    endswith = partialmethod(_deny, "endswith")
    strip = partialmethod(_strip, "strip")
    lstrip = partialmethod(_strip, "lstrip")
    rstrip = partialmethod(_strip, "rstrip")


TEXTS = (str, SymbolicText)
for _name in {*vars(str), "__int__", "__float__", "__index__"} - {*vars(SymbolicText)}:
    if _name not in ("__new__", "__getattribute__"):
        setattr(SymbolicText, _name, _refuse)


def text_of(value: object) -> str:
    """What a template writes for a value, with placeholders."""
    # pylint: disable-next=protected-access  # a public name would be a key to templates
    return value._text if isinstance(value, SymbolicText) else str(value)


def join(parts: Iterable[object]) -> object:
    """Parts that a template writes one after another."""
    parts = list(parts)
    text = "".join(map(text_of, parts))
    return (
        SymbolicText(text) if any(isinstance(p, SymbolicText) for p in parts) else text
    )


class _Code(NativeCodeGenerator):
    """Writes values as they are, where Jinja's own writes strings."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.concat((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class _Environment(ImmutableSandboxedEnvironment):
    code_generator_class = _Code
    concat = staticmethod(join)  # type: ignore[assignment]


def compile_symbolic(template: str) -> Template:
    """The template, to be rendered with symbolic contents.

    Its environment is like that which transformers has for chat templates. A block of
    {% generation %} has a scope of its own, as {% with %} has.
    """
    environment = _Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals |= {"raise_exception": _refuse, "strftime_now": _refuse}
    environment.filters["trim"] = lambda text, spaces=None: text.strip(spaces)
    environment.tests["string"] = lambda value: isinstance(value, TEXTS)
    environment.tests["sameas"] = _refuse
    marks = re.compile(r"(\{%[-+]?\s*)(end)?generation\b")
    return environment.from_string(marks.sub(r"\1\2with", template))
