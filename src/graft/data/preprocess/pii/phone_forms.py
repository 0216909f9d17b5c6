"""Formats of telephone numbers, and of other numbers that look like them."""

import re

SEPARATOR = r"(?:[-./_] ?| [-./] | {1,2}|[ .-]?\(| ?\)[ .\-/]?)"
RUN = re.compile(
    r"(?:(?<![\w$€£¥%^])(?<!\w\*)|(?<=\\[nrt])|(?<=_)|(?<=%2[Bb])"
    r"|(?i:(?<=tel)|(?<=fax)|(?<=phone)|(?<=mobile)|(?<=cell)|(?<=home)|(?<=work)))"
    rf"(?:\(?\+ ?\(?|\()?\d(?:{SEPARATOR}?\d){{6,}}\)?"
)
"""Seven digits or more with at most a few separators between two."""
# Five or six digits are a telephone number only in a field of that name.
SHORT = re.compile(
    r"(?<![^\W_])(?:(?:tele)?phone|tel|(?:tele)?fax|mobile|cell|gsm)"
    r"(?: ?(?:no|num(?:ber)?))?\.?[\"']? ?[:=] ?[\"'(]?"
    r"(?P<number>\d(?:[ .-]?\d){4,5})(?![\w.,:/-]?\d|[^\W_])",
    re.IGNORECASE,
)
GROUP = re.compile(r"\d+")
EXTENSION = re.compile(
    r"[ ,;-]{0,2}(?:x|ext(?:ension|n)?\.?|poste|interne|durchwahl|#) ?[:=]? ?\d{1,6}"
    r"(?!\w)",
    re.IGNORECASE,
)
# North American: an area code begins with 2 to 9, whether it is assigned or not.
AMERICAN = re.compile(
    r"(?:\+? ?1[-. /]{0,2}|001[-. ]?)?"
    r"(?:\((?P<a>\d{3})\)[-. ]{0,2}|\d{3}(?P<s>[-./_ ]))\d{3}(?P<t>[-._ ]?)\d{4}"
)
# French: pairs of digits, whether the block is assigned or not.
PAIRS = re.compile(r"0[1-9](?P<s>[ .-])\d\d(?:(?P=s)\d\d){3}")
# An area code in brackets.
BRACKETED = re.compile(
    r"(?=(?:\D*\d){8,12}$)\((?!(?:1[89]|20)\d\d\))\d{2,5}\)[ /.-]{0,3}\d{2,8}"
    r"(?:[ .-]\d{2,5})*"
)
# With the trunk prefix 0 of most countries, in two to five groups.
ZERO = re.compile(
    r"(?=(?:\D*\d){9,11}$)0[1-9]\d{0,3}(?:[ ./-]{1,2}\d{2,8}){1,4}(?<![01 ]{9})"
)
_YEAR, _MONTH = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(
    rf"(?<!\d)(?:{_YEAR}[-/._ ]{_MONTH}[-/._ ]{_DAY}|{_DAY}[-/.]{_MONTH}[-/.]{_YEAR}"
    rf"|{_MONTH}[-/.]{_DAY}[-/.]{_YEAR}"
    r"|(?:1[5-9]|20)\d\d ?[-/ ] ?(?:1[5-9]|20)\d\d)(?!\d)"
)
# The expiry date of a card, perhaps with its code.
_EXPIRY = re.compile(r"(?<!\S)(?:0[1-9]|1[0-2])/(?:20)?[2-4]\d(?:[ /-]\d{3,4})?$")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:([ .])\d{3})(?:\1\d{3})+")
_FRACTION = re.compile(r"0\.\d+(?!\.\d)")
_DECIMAL = re.compile(r"[.,:]\d")
_UNIT = re.compile(
    r" ?(?:€|%|\$|£|°|[=^]|\* ?[\d(]|(?:eur|euros?|usd|dollars?|km|kg|m|m²|bytes|octets"
    r"|habitants|inhabitants|people|personnes|votes?|users?|millions?|fois|times)\b)",
    re.IGNORECASE,
)
_CODE_BEFORE = re.compile(r"[^\W_]*\d[^\W_]*[^\W\d_][^\W_]*-$|\d-$|(?<!\w)[^\W\d_]-$")
# A word or nothing may follow a hyphen; letters with digits are part of a longer code.
_CODE_AFTER = re.compile(r"-(?=[^\W_]*\d)[^\W_]|-[^\W\d_](?!\w)|-[A-Z]{2,3}(?!\w)")


def is_counting(digits: str) -> bool:
    """Whether the digits count up, as in 0123456789."""
    return digits in "012345678901234567890"


def is_amount(number: str) -> bool:
    """Whether thousands are separated, as in 12 345 678."""
    return bool(_THOUSANDS.fullmatch(number))


def is_other(text: str, start: int, end: int) -> bool:
    """Whether it is a date, an amount, or a part of something in brackets."""
    number = text[start:end]
    if number.count("(") != number.count(")"):
        return True
    dates = _DATE.finditer(text, max(0, start - 6), end + 6)
    if any(date.start() < end and start < date.end() for date in dates):
        return True
    if _EXPIRY.search(number) or _FRACTION.match(number):
        return True
    plain = number.isdigit() and number[0] != "0" or is_amount(number)
    return bool(plain and _DECIMAL.match(text, end) or _UNIT.match(text, end))


def is_part(text: str, start: int, end: int) -> bool:
    """Whether it is part of a decimal number or a code, such as a UUID."""
    before = text[max(0, start - 20) : start]
    return bool(
        re.search(r"\d[.:]$", before)
        or text[start:end].isdigit()
        and re.search(r"\d,$", before)
        or _CODE_BEFORE.search(before)
        or _CODE_AFTER.match(text, end)
    )
