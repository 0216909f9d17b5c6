"""Telephone numbers of every country and cards of every network, written as people do.

Numbers come from the numbering plans that phonenumbers carries: examples of each region
and kind with other last digits. How they are written is chosen at random, so that no
recogniser can have been made for these texts.
"""

import re
from functools import cache
from random import Random

import phonenumbers
from stdnum import luhn

from pii.values import digits, grouped

_KINDS = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
_FORMATS = (
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.NATIONAL,
)
_EXTENSIONS = (" x123", "x4567", " ext. 4", " ext 89", ", ext. 12", " extension 331")
_CARDS = (
    ("4", 16), ("4", 13), ("4", 19), ("51", 16), ("2720", 16), ("34", 15), ("37", 15),
    ("6011", 16), ("65", 16), ("36", 14), ("305", 14), ("3528", 16), ("3589", 16),
    ("62", 16), ("2200", 16), ("5018", 16), ("6304", 12), ("6759", 16), ("6763", 19),
)  # fmt: skip


@cache
def _examples() -> list[phonenumbers.PhoneNumber]:
    found = [
        phonenumbers.example_number_for_type(region, kind)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in _KINDS
    ]
    return [one for one in found if one and (one.national_number or 0) >= 10**6]


def world_phone(random: Random) -> str:
    """A valid number of any country, with its code or as at home."""
    return _written(random, random.choice(_FORMATS))


def named_phone(random: Random) -> str:
    """One as at home, often without any sign between, for where a word names it."""
    number = _written(random, phonenumbers.PhoneNumberFormat.NATIONAL)
    return re.sub(r"\D", "", number) if random.random() < 0.3 else number


def world_card(random: Random) -> str:
    """A card of any network, of each length that it gives out."""
    prefix, length = random.choice(_CARDS)
    number = prefix + digits(random, length - len(prefix) - 1)
    number += luhn.calc_check_digit(number)
    sizes = {15: [4, 6, 5], 14: [4, 6, 4]}.get(length, [4] * 5)
    return grouped(number, sizes, random.choice((" ", "-", "", "", ".")))


def _written(random: Random, form: int) -> str:
    number = _random_number(random)
    text = phonenumbers.format_number(number, form)
    if form == phonenumbers.PhoneNumberFormat.INTERNATIONAL:
        text = _abroad(text, random)
    if random.random() < 0.3:
        sign = random.choice((".", "-", " ", "/"))
        once = 1 if sign == "/" else 0
        text = text[:5] + re.sub(r"(?<=\d)[ -](?=\d)", sign, text[5:], count=once)
    if random.random() < 0.1:
        text += random.choice(_EXTENSIONS)
    return text


def _abroad(text: str, random: Random) -> str:
    """+CC as some write it: 00CC, (+CC), with (0), with hyphens, without a blank."""
    code, _, rest = text.partition(" ")
    forms = [text, text, f"00{code[1:]} {rest}", f"({code}) {rest}", code + rest]
    forms.append(re.sub(r"[ ()]+", "-", text))
    if code in ("+44", "+33", "+49", "+41", "+31", "+61"):
        forms.append(f"{code} (0){rest}")
    if code == "+1":
        forms.append(f"001-{re.sub(' ', '-', rest)}")
    return random.choice(forms)


def _random_number(random: Random) -> phonenumbers.PhoneNumber:
    """An example with other last digits, as many as keep it valid."""
    example = random.choice(_examples())
    national = phonenumbers.national_significant_number(example)
    for count in (6, 5, 4, 4, 3, 3, 2):
        tail = digits(random, count)
        number = phonenumbers.PhoneNumber()
        number.merge_from(example)
        number.national_number = int(national[:-count] + tail)
        if phonenumbers.is_valid_number(number):
            return number
    return example
