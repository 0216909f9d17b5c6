"""Labelled sentences: each with the spans of the personal data in it."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from graft.config.pii import KINDS, Kind
from pii import values, world
from pii.noise import noise
from pii.templates import CLEAN, SENTENCES

Span = tuple[Kind, int, int]
_SLOT = re.compile(r"\{([a-z0-9_]+)(?::(\d+))?\}")
# Ways to write a kind that only some sentences bear.
_FORMS: dict[str, Kind] = {
    "bare_phone": "phone",
    "bare_ssn": "ssn",
    "ip4": "ip",
    "handle": "account",
    "world": "phone",
    "named": "phone",
    "any_card": "card",
}


@dataclass(frozen=True)
class Labelled:
    """A text and where its personal data stand."""

    text: str
    spans: tuple[Span, ...]


def labelled(
    rows: int, seed: int, clean: float = 0.4, sentences: Sequence[str] = SENTENCES
) -> Iterator[Labelled]:
    """Made-up sentences; a share of them holds no personal data.

    All templates come in turn, so that a small sample has every kind too.
    """
    random = Random(seed)
    counts = [0, 0]
    for _ in range(rows):
        sort = int(random.random() < clean)
        templates = (sentences, CLEAN)[sort]
        yield _filled(templates[counts[sort] % len(templates)], random)
        counts[sort] += 1


def _filled(template: str, random: Random) -> Labelled:
    text, at = "", 0
    spans: list[Span] = []
    for slot in _SLOT.finditer(template):
        text += _literal(template[at : slot.start()])
        name, size = slot[1], int(slot[2] or 0)
        if kind := _kind(name):
            value = _value(name, kind, random)
            spans.append((kind, len(text), len(text) + len(value)))
        else:
            value = noise(name, size, random)
        text += value
        at = slot.end()
    return Labelled(text + _literal(template[at:]), tuple(spans))


def _kind(name: str) -> Kind | None:
    return _FORMS.get(name) or next((kind for kind in KINDS if kind == name), None)


def _literal(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")


_WORLD: dict[str, Callable[[Random], str]] = {
    "world": world.world_phone,
    "named": world.named_phone,
    "any_card": world.world_card,
}


def _value(name: str, kind: Kind, random: Random) -> str:
    if name in _WORLD:
        return _WORLD[name](random)
    if name == "bare_phone":
        phone = values.french_phone(random), values.american_phone(random)
        bare = re.sub(r"\(0\)| ?(?:x|ext).*", "", random.choice(phone))
        return re.sub(r"\D", "", bare)
    if name == "bare_ssn":
        return values.american_person(random).replace("-", random.choice(("", " ")))
    if name == "handle":
        return "@" + values.account(random).replace(".", "")
    value = values.VALUES[kind](random)
    return value if name != "ip4" or ":" not in value else "82.66.12.190"
