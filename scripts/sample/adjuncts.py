"""Adverbs and phrases of time, place and manner, with the tenses that they allow."""

from random import Random

from .french import attach
from .nouns import BY_KIND, Noun
from .phrases import determined, pick_adjectives

Adjunct = tuple[str, str]  # English, French

_TIMES = {
    "past": """yesterday=hier, last week=la semaine dernière, last night=hier soir,
    last year=l'année dernière, last month=le mois dernier,
    two days ago=il y a deux jours, three years ago=il y a trois ans,
    this morning=ce matin, last summer=l'été dernier,
    last Monday=lundi dernier, last Friday=vendredi dernier""",
    "future": """tomorrow=demain, next week=la semaine prochaine, tonight=ce soir,
    next year=l'année prochaine, next month=le mois prochain, soon=bientôt,
    in two hours=dans deux heures, in three days=dans trois jours,
    next Saturday=samedi prochain, next Tuesday=mardi prochain""",
    "habit": """every day=tous les jours, every morning=tous les matins,
    every week=toutes les semaines, every evening=tous les soirs,
    every year=tous les ans, on Sundays=le dimanche, on Wednesdays=le mercredi,
    in winter=en hiver, in summer=en été, in the evening=le soir, at night=la nuit""",
    "now": """now=maintenant, at the moment=en ce moment, today=aujourd'hui""",
    "hour": """at two o'clock=à deux heures, at three o'clock=à trois heures,
    at five o'clock=à cinq heures, at eight o'clock=à huit heures,
    at nine o'clock=à neuf heures, at noon=à midi, at midnight=à minuit""",
}
_MANNERS = """together=ensemble, slowly=lentement, quickly=vite, carefully=avec soin,
happily=avec joie, easily=facilement, in silence=en silence"""
# What is done to a place, or away from one.
PLACELESS = frozenset("visit|build|go out|leave|come back".split("|"))
# What one can do slowly, together, in silence.
MANNERLY = frozenset(
    "eat|drink|prepare|cut|share|serve|read|write|open|close|repair|wash|clean|draw|"
    "build|follow|finish|plant|work|sing|dance|play|travel|study|choose".split("|")
)
_FREQUENCIES = """often=souvent, always=toujours, sometimes=parfois, rarely=rarement,
already=déjà"""
_CITIES = """Paris=Paris, London=Londres, Lyon=Lyon, Rome=Rome, Berlin=Berlin,
Madrid=Madrid, Brussels=Bruxelles, Geneva=Genève"""
_PREPOSITIONS = """near=près de, behind=derrière, in front of=devant,
far from=loin de, next to=à côté de"""


def _pairs(rows: str) -> tuple[Adjunct, ...]:
    cells = (row.strip().partition("=") for row in rows.split(","))
    return tuple((en, fr) for en, _, fr in cells)


TIMES = {name: _pairs(rows) for name, rows in _TIMES.items()}
MANNERS = _pairs(_MANNERS)
FREQUENCIES = _pairs(_FREQUENCIES)
CITIES = _pairs(_CITIES)
PREPOSITIONS = _pairs(_PREPOSITIONS)
_OF_TENSE = {
    "present": ("habit", "hour"),
    "progressive": ("now",),
    "past": ("past", "past", "hour"),
    "imperfect": ("habit",),
    "was_doing": ("hour",),
    "used_to": ("habit",),
    "future": ("future", "future", "hour"),
    "near": ("future",),
    "can": ("future", "now"),
    "must": ("future", "now"),
}


def frequency(rng: Random, tense: str) -> Adjunct:
    """An adverb that stands beside the verb; `already` only of the past."""
    choices = FREQUENCIES if tense == "past" else FREQUENCIES[:-1]
    return rng.choice(choices)


def time(rng: Random, tense: str) -> Adjunct:
    """A time that fits a tense."""
    return rng.choice(TIMES[rng.choice(_OF_TENSE[tense])])


def place(rng: Random) -> Adjunct:
    """Where something is: in, on, near … a place, or in a city."""
    kind = rng.random()
    if kind < 0.12:
        en, fr = rng.choice(CITIES)
        return f"in {en}", f"à {fr}"
    if kind < 0.6:
        return in_place(rng, rng.choice(BY_KIND["i"]), "in", "dans")
    if kind < 0.7:
        return in_place(rng, rng.choice(BY_KIND["s"]), "on", "sur")
    english, preposition = rng.choice(PREPOSITIONS)
    return in_place(rng, rng.choice(BY_KIND["L"]), english, preposition)


def in_place(rng: Random, noun: Noun, english: str, preposition: str) -> Adjunct:
    """A preposition and a place."""
    determiner = rng.choice(("the", "the", "the", "a", "my", "his", "her", "our"))
    phrase = determined(noun, determiner, False)
    return f"{english} {phrase.en}", attach(preposition, phrase.fr)


def described_place(rng: Random) -> tuple[Adjunct, frozenset[tuple[str, str, str]]]:
    """In a place that has an adjective, and the pair that it makes."""
    noun = rng.choice(BY_KIND["i"])
    adjectives = pick_adjectives(rng, noun, 0.8)
    phrase = determined(noun, rng.choice(("the", "a", "this")), False, adjectives)
    return (f"in {phrase.en}", f"dans {phrase.fr}"), phrase.pairs
