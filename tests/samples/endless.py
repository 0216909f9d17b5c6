"""A model whose answers end at their limit alone, so that something can stop them."""

from dataclasses import replace
from typing import Any


class NeverEnds:
    """A template without stop tokens."""

    stop_ids: list[int] = []

    def __init__(self, template: Any) -> None:
        self._template = template

    def __getattr__(self, name: str) -> Any:
        return getattr(self._template, name)


def endless(loaded: Any, num_tokens: int) -> Any:
    """The loaded model with answers of so many tokens."""
    version = loaded.version
    template = NeverEnds(version.template)
    decoding = replace(version.decoding, max_new_tokens=num_tokens)
    version = replace(version, template=template, decoding=decoding)
    return replace(loaded, version=version, length=num_tokens + 100)
