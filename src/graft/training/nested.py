"""Nested values, such as an optimizer's state, apart from the tensors in them."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

Outline = Any
"""A nested value as JSON, with the number of a tensor in each tensor's place."""


def to_outline(value: Any) -> tuple[Outline, list[Tensor]]:
    """The value as JSON, and its tensors, each of them once.

    Keys of dicts, and whether a sequence is a list or a tuple, are kept.
    """
    numbers: dict[int, int] = {}
    tensors: list[Tensor] = []

    def convert(value: Any) -> Outline:
        if isinstance(value, Tensor):
            number = numbers.setdefault(id(value), len(tensors))
            if number == len(tensors):
                tensors.append(value)
            return {"tensor": number}
        if isinstance(value, dict):
            return {"dict": [[key, convert(one)] for key, one in value.items()]}
        if isinstance(value, list | tuple):
            return {type(value).__name__: [convert(one) for one in value]}
        return {"value": value}

    return convert(value), tensors


def from_outline(outline: Outline, tensor: Callable[[int], Tensor]) -> Any:
    """The nested value. `tensor`: gives a tensor by its number."""
    ((kind, value),) = outline.items()
    if kind == "tensor":
        return tensor(value)
    if kind == "dict":
        return {key: from_outline(one, tensor) for key, one in value}
    if kind in ("list", "tuple"):
        parts = [from_outline(one, tensor) for one in value]
        return parts if kind == "list" else tuple(parts)
    return value
