"""English spelling by rule: plural, third person, past, -ing, a or an."""

_DOUBLED = frozenset("cut run swim get begin forget put stop".split())


def english_plural(word: str) -> str:
    """Plural by rule: box → boxes, city → cities, boy → boys."""
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def third_person(word: str) -> str:
    """The -s form: go → goes, carry → carries, have → has."""
    if word == "have":
        return "has"
    if word.endswith(("s", "x", "ch", "sh", "o")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def article(word: str) -> str:
    """`a` or `an` before a word."""
    silent = word.startswith(("honest", "hour"))
    sounded = word.startswith(("uni", "use"))
    return "an" if silent or (word[0].lower() in "aeiou" and not sounded) else "a"


def english_past(word: str) -> str:
    """Past by rule: like → liked, carry → carried, visit → visited."""
    if word.endswith("e"):
        return word + "d"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ied"
    return word + "ed"


def english_ing(word: str) -> str:
    """The -ing form: write → writing, run → running, see → seeing."""
    if word in _DOUBLED:
        return word + word[-1] + "ing"
    if word.endswith("e") and not word.endswith("ee"):
        return word[:-1] + "ing"
    return word + "ing"
