"""Symbolic contents: what they answer is true of every content, the rest is refused."""

# pylint: disable=no-value-for-parameter  # hypothesis gives them

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.prompts.symbolic import ContentReadError, SymbolicText, text_of


@given(st.text(min_size=1).filter(lambda text: text == text.strip()), st.booleans())
def test_operations_with_one_result_for_every_content_are_supported(
    content: str, alone: bool
) -> None:
    assert bool(SymbolicText("#")) == bool(content)
    around = ("", "") if alone else (" \n", "\t ")
    whole: Any = around[0] + SymbolicText("#") + around[1]  # type: ignore[operator]
    for spaces in (None, "\n", " \t"):
        for method in ("strip", "lstrip", "rstrip"):
            found = text_of(getattr(whole, method)(spaces))
            real = getattr(around[0] + content + around[1], method)(spaces)
            assert found.replace("#", content) == real


ANSWERED = {
    *("__add__", "__contains__", "__doc__", "__eq__", "__getattribute__", "__ne__"),
    *("__new__", "endswith", "lstrip", "rstrip", "startswith", "strip"),
}


@pytest.mark.parametrize("method", sorted(vars(str).keys() - ANSWERED))
def test_every_other_method_of_a_string_is_refused(method: str) -> None:
    with pytest.raises(ContentReadError):
        getattr(SymbolicText("x"), method)()


def test_comparisons_return_false_and_are_recorded() -> None:
    asked: list[tuple[str, str]] = []
    text: Any = SymbolicText("#", lambda *call: asked.append(call))
    assert not ("a" in text or text == "b" or "c" == text or text.startswith("d"))
    assert text != "e" and text not in (None, False, 1)
    assert asked == [
        ("__contains__", "a"),
        ("__eq__", "b"),
        ("__eq__", "c"),
        ("startswith", "d"),
        ("__eq__", "e"),
    ]
