"""Numbers from 2 to 100 in words, in both languages."""

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS = "- ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_FR_UNITS = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze "
    "quinze seize"
).split()
_FR_TENS = "- dix vingt trente quarante cinquante soixante - quatre-vingt".split()


def english_number(value: int) -> str:
    """21 → twenty-one, 100 → one hundred."""
    if value == 100:
        return "one hundred"
    if value < 20:
        return _UNITS[value]
    ten, unit = divmod(value, 10)
    return f"{_TENS[ten]}-{_UNITS[unit]}" if unit else _TENS[ten]


def french_number(value: int, feminine: bool = False) -> str:
    """71 → soixante et onze, 80 → quatre-vingts."""
    if value == 100:
        return "cent"
    if value < 17:
        return "un" + "e" * feminine if value == 1 else _FR_UNITS[value]
    if value < 20:
        return f"dix-{_FR_UNITS[value - 10]}"
    ten, unit = divmod(value, 10)
    if ten in (7, 9):
        ten, unit = ten - 1, unit + 10
    word = _FR_TENS[ten]
    if unit == 0:
        return word + "s" * (ten == 8)
    if unit in (1, 11) and ten != 8:
        return f"{word} et {'onze' if unit == 11 else french_number(1, feminine)}"
    return f"{word}-{french_number(unit, feminine)}"
