"""What a batch answers to each row, and whether it is right."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from cut_text import cut

from graft.inference.requests import TokensEvent


def collect(events: Iterable[TokensEvent]) -> dict[Any, Any]:
    """Tokens, text and finish by key."""
    tokens, texts = defaultdict(list), defaultdict(list)
    ends: dict[Any, str] = {}
    for event in events:
        assert event.key not in ends, "an event after the end"
        tokens[event.key] += event.tokens
        texts[event.key].append(event.text)
        if event.finish:
            ends[event.key] = event.finish
    return {key: (tokens[key], "".join(texts[key]), ends.get(key)) for key in tokens}


def check(found: Any, right: Any, stop: Any, decode: Callable[[Any], str]) -> None:
    """An answer is the right one, or begins it if it was cancelled."""
    tokens, text, finish = found
    assert text == cut(decode(tokens), stop)
    if finish == "cancelled":
        assert tokens == right[0][: len(tokens)]
    else:
        assert found == right
