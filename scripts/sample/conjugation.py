"""French conjugation: present, imperfect, future and participle."""

from dataclasses import dataclass
from functools import lru_cache

# `six present forms | stem of the future | participle`; a key also serves the verbs
# that end with it (prendre → comprendre), the longest key first.
_IRREGULAR = {
    "être": "suis es est sommes êtes sont|ser|été",
    "avoir": "ai as a avons avez ont|aur|eu",
    "aller": "vais vas va allons allez vont|ir|allé",
    "faire": "fais fais fait faisons faites font|fer|fait",
    "dire": "dis dis dit disons dites disent|dir|dit",
    "lire": "lis lis lit lisons lisez lisent|lir|lu",
    "écrire": "écris écris écrit écrivons écrivez écrivent|écrir|écrit",
    "rire": "ris ris rit rions riez rient|rir|ri",
    "voir": "vois vois voit voyons voyez voient|verr|vu",
    "boire": "bois bois boit buvons buvez boivent|boir|bu",
    "croire": "crois crois croit croyons croyez croient|croir|cru",
    "prendre": "prends prends prend prenons prenez prennent|prendr|pris",
    "mettre": "mets mets met mettons mettez mettent|mettr|mis",
    "venir": "viens viens vient venons venez viennent|viendr|venu",
    "partir": "pars pars part partons partez partent|partir|parti",
    "sortir": "sors sors sort sortons sortez sortent|sortir|sorti",
    "dormir": "dors dors dort dormons dormez dorment|dormir|dormi",
    "servir": "sers sers sert servons servez servent|servir|servi",
    "ouvrir": "ouvre ouvres ouvre ouvrons ouvrez ouvrent|ouvrir|ouvert",
    "offrir": "offre offres offre offrons offrez offrent|offrir|offert",
    "connaître": "connais connais connaît connaissons connaissez connaissent"
    "|connaîtr|connu",
    "savoir": "sais sais sait savons savez savent|saur|su",
    "vouloir": "veux veux veut voulons voulez veulent|voudr|voulu",
    "pouvoir": "peux peux peut pouvons pouvez peuvent|pourr|pu",
    "devoir": "dois dois doit devons devez doivent|devr|dû",
    "recevoir": "reçois reçois reçoit recevons recevez reçoivent|recevr|reçu",
    "uire": "uis uis uit uisons uisez uisent|uir|uit",
    "suivre": "suis suis suit suivons suivez suivent|suivr|suivi",
    "courir": "cours cours court courons courez courent|courr|couru",
}
_IMPERFECT = ("ais", "ais", "ait", "ions", "iez", "aient")
_FUTURE = ("ai", "as", "a", "ons", "ez", "ont")
_VOWELS = "aeiouyéèê"


@dataclass(frozen=True)
class Paradigm:
    """The forms of one verb; the six persons are in the usual order."""

    present: tuple[str, ...]
    imperfect: tuple[str, ...]
    future: tuple[str, ...]
    participle: str


@lru_cache(maxsize=None)
def paradigm(infinitive: str) -> Paradigm:
    """All forms of a verb.

    Args: infinitive: without `se`.
    Raises: ValueError if the ending is none that the tables know.
    """
    keys = [key for key in _IRREGULAR if infinitive.endswith(key)]
    if keys:
        return _irregular(infinitive, max(keys, key=len))
    if infinitive.endswith("er"):
        return _first_group(infinitive)
    stem = infinitive[:-2]
    if infinitive.endswith("ir"):
        endings, future, participle = "is is it issons issez issent", infinitive, "i"
    elif infinitive.endswith("re"):
        endings, future, participle = "s s - ons ez ent", infinitive[:-1], "u"
    else:
        raise ValueError(f"no conjugation for {infinitive!r}")
    present = tuple(stem + ending.strip("-") for ending in endings.split())
    return _assemble(present, present[3][:-3], future, stem + participle)


def _irregular(infinitive: str, key: str) -> Paradigm:
    prefix = infinitive.removesuffix(key)
    forms, future, participle = _IRREGULAR[key].split("|")
    present = tuple(prefix + form for form in forms.split())
    stem = "ét" if key == "être" else present[3][:-3]
    return _assemble(present, stem, prefix + future, prefix + participle)


def _first_group(infinitive: str) -> Paradigm:
    """Verbs in -er, with the changes of spelling of acheter, espérer, nettoyer."""
    stem = infinitive[:-2]
    strong = stem  # before a silent ending
    future = infinitive
    if stem.endswith(("oy", "ay")):
        strong = stem[:-1] + "i"
        future = "enverr" if infinitive == "envoyer" else strong + "er"
    elif len(stem) > 2 and stem[-1] not in _VOWELS and stem[-2] in "eé":
        strong = stem[:-2] + "è" + stem[-1]
        future = strong + "er" if stem[-2] == "e" else infinitive
    before_o = {"g": stem + "e", "c": stem[:-1] + "ç"}.get(stem[-1], stem)
    present = (
        *(strong + ending for ending in ("e", "es", "e")),
        before_o + "ons",
        stem + "ez",
        strong + "ent",
    )
    past = tuple(
        (stem if ending.startswith("i") else before_o) + ending for ending in _IMPERFECT
    )
    later = tuple(future + ending for ending in _FUTURE)
    return Paradigm(present, past, later, stem + "é")


def _assemble(
    present: tuple[str, ...], stem: str, future: str, participle: str
) -> Paradigm:
    past = tuple(stem + ending for ending in _IMPERFECT)
    later = tuple(future + ending for ending in _FUTURE)
    return Paradigm(present, past, later, participle)


def agree(participle: str, gender: str, plural: bool) -> str:
    """A participle with the mark of gender and number: pris → prise, vu → vues."""
    word = "du" if participle == "dû" and (gender == "f" or plural) else participle
    word += "e" if gender == "f" else ""
    return word + ("s" if plural and not word.endswith("s") else "")
