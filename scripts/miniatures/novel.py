"""The novel: a voyage to twenty-four islands, one paragraph a line."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from .expansion import Rules, expand, read_rules

_HERE = Path(__file__).parent
# Kinds of paragraph, in the order in which a chapter has them.
_SEA = """start log talk food night log song talk sight log memory trouble food talk
log night memory talk food sight song talk landfall""".split()
_LAND = """arrive walk food keeper ask task doing hard sea_talk doing night food doing
sea_talk hard doing walk done line trade feast night sea_song leave""".split()
# On the first leg there is no island to remember, and no line to sing.
_LATER = ("memory", "song")
_HOME = {"isle": "Ostrey", "goods": "dried fish", "fame": "its lamp"}
_NEW_DAY = frozenset({"log", "doing", "done", "leave"})


def paragraphs(rng: Random) -> Iterator[str]:
    """All paragraphs, chapter headings among them; none stands twice."""
    frame, words, sea, land = (
        read_rules(_HERE / f"novel_{part}.txt")
        for part in ("frame", "words", "sea", "land")
    )
    yield "The Lamp of Ostrey"
    yield from frame["begin"]
    been: list[dict[str, str]] = []
    seen: set[str] = set()
    day = 0
    for island in islands():
        for part, kinds in (("sea", _SEA), ("land", _LAND)):
            number = 2 * len(been) + 1 + (part == "land")
            yield f"Chapter {number}. {'To ' * (part == 'sea')}{island['isle']}"
            for kind in kinds:
                if not been and kind.endswith(_LATER):
                    continue
                day += kind in _NEW_DAY
                name = kind if "_" in kind else f"{part}_{kind}"
                rules = {**words, **sea, **(land if part == "land" else {})}
                facts = known(rng, island, been) | {"day": ordinal(day)}
                yield _fresh(rng, name, rules, facts, seen)
        been.append(island)
    song = " / ".join(island["line"] for island in been)
    yield from (line.format(song=f"*{song}.*") for line in frame["end"])


def islands() -> list[dict[str, str]]:
    """The islands' facts by name, in the order of the voyage."""
    text = (_HERE / "novel_islands.txt").read_text(encoding="utf-8")
    keys, *rows = (line.split("; ") for line in text.splitlines())
    return [dict(zip(keys, row, strict=True)) for row in rows]


def known(
    rng: Random, island: Mapping[str, str], been: list[dict[str, str]]
) -> dict[str, str]:
    """What can be told near an island.

    Its own facts; `last…` of the island just left; `old…` of any before; `hold`, what
    they carry; `sung`, the last lines of the song so far.
    """
    last, old = (been[-1], rng.choice(been)) if been else (_HOME, _HOME)
    facts = dict(island) | {f"last{key}": value for key, value in last.items()}
    facts |= {f"old{key}": value for key, value in old.items()}
    sung = " / ".join(one["line"] for one in been[-3:])
    return facts | {"hold": last["goods"], "sung": sung}


def _fresh(
    rng: Random, name: str, rules: Rules, facts: Mapping[str, str], seen: set[str]
) -> str:
    """A paragraph that none before it equals."""
    made = expand(rng, f"{{{name}}}", rules, facts)
    while made in seen:
        made = expand(rng, f"{{{name}}}", rules, facts)
    seen.add(made)
    return made


def ordinal(value: int) -> str:
    """1st, 2nd, 3rd, 11th …"""
    endings = {1: "st", 2: "nd", 3: "rd"}
    teen = value % 100 in (11, 12, 13)
    return f"{value}{'th' if teen else endings.get(value % 10, 'th')}"
