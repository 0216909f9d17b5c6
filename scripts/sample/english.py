"""English verb groups: tense, negation, auxiliary, and what moves in a question."""

from .spelling import english_ing, third_person
from .verbs import Verb

_BE_PRESENT = ("am", "are", "is", "are", "are", "are")
_AUXILIARIES = {"future": "will", "can": "can", "must": "must"}
TENSES = "present progressive past was_doing used_to future near can must".split()


def be(person: int, plural: bool, past: bool = False) -> str:
    """The form of `be`; `you` counts as a plural."""
    index = person - 1 + 3 * plural
    if past:
        return "was" if index in (0, 2) else "were"
    return _BE_PRESENT[index]


def verb_group(
    verb: Verb,
    subject: tuple[int, bool],
    tense: str,
    mark: str = "",
    asks: bool = False,
) -> tuple[str, str]:
    """The auxiliary, which a question moves before the subject, and the rest.

    Args:
        verb: any verb.
        subject: person (1 to 3) and whether it is a plural.
        tense: one of TENSES.
        mark: `not`, `never`, `no longer`, or an adverb such as `often`.
        asks: whether the auxiliary must stand alone.
    """
    split = asks or mark == "not"
    auxiliary, main = _parts(verb, subject, tense, split)
    if mark == "not" and tense == "can":
        auxiliary, mark = "cannot", ""
    elif mark == "not":
        auxiliary, mark = f"{auxiliary} not", ""
    words = (mark, main, verb.particle)
    return auxiliary, " ".join(word for word in words if word)


def _parts(
    verb: Verb, subject: tuple[int, bool], tense: str, split: bool
) -> tuple[str, str]:
    person, plural = subject
    if tense in _AUXILIARIES:
        return _AUXILIARIES[tense], verb.en
    if tense == "near":
        return be(person, plural), f"going to {verb.en}"
    if tense == "used_to":
        return "", f"used to {verb.en}"
    if verb.en == "be" and tense in ("present", "past"):
        return be(person, plural, tense == "past"), ""
    if tense in ("progressive", "was_doing"):
        return be(person, plural, tense == "was_doing"), english_ing(verb.en)
    return _simple(verb, person == 3 and not plural, tense, split)


def _simple(verb: Verb, third: bool, tense: str, split: bool) -> tuple[str, str]:
    """Present and past, with `do` where the auxiliary must stand alone."""
    if split:
        does = "does" if third else "do"
        return ("did" if tense == "past" else does), verb.en
    if tense == "past":
        return "", verb.past
    return "", third_person(verb.en) if third else verb.en
