"""Numbers with a fixed form, most with a checksum: accounts, cards, persons."""

import re
from functools import cache

from graft.config.pii import Kind
from graft.data.pii.cues import cue
from graft.data.pii.finding import Finding, Found

_SEP = r"(?: ?[-.] ?| )"
_IBAN = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d{2}(?=[ .-]?[A-Za-z0-9])")
# Looked for at every place, since a group before may belong to something else.
_CARD = re.compile(
    rf"(?<!\w)(?<!\d[.,])"
    rf"(?=(\d{{4}}(?P<a>{_SEP})\d{{4}}(?:(?P=a)\d{{4}}){{2}}(?:(?P=a)\d{{3}})?"
    rf"|\d{{4}}(?P<b>{_SEP})\d{{6}}(?P=b)\d{{4,5}}|\d{{12,19}})(?!\w|[.,]\d))"
)
_NIR = re.compile(
    r"(?<!\w)[1-478](?P<s>[ .-]?)\d{2}(?P=s)(?P<month>\d{2})(?P=s)(?:\d{2}|2[abAB])"
    r"(?P=s)\d{3}(?P=s)\d{3}(?P<key>[ ./-]{0,3}\d{2})?(?!\w)"
)
_SSN = re.compile(
    r"(?<![\w.])(?<!\w-)\d{3}(?P<s>[- .]?)\d{2}(?P=s)\d{4}(?!\w|-\w|[.,]\d)"
)

# First digits and lengths of the issuers, ISO/IEC 7812 as the networks publish it.
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12,15}"  # Discover
    r"|3(?:0[0-5]|[689]\d)\d{11,16}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"  # JCB
    r"|62\d{14,17}|220[0-4]\d{12}"  # UnionPay, Mir
)


def ibans(text: str) -> Found:
    """Account numbers of the length and form of their country, with mod 97."""
    from stdnum import iban

    for match in _IBAN.finditer(text):
        country = match[0][:2].upper()
        end = _after(text, match.start(), _iban_length(country))
        if end is None:
            continue
        number = text[match.start() : end]
        if iban.is_valid(number, check_country=False):
            yield Finding("iban", match.start(), end, True, "checksum")
        elif _is_formed(number) and cue(text, match.start(), end) in ("iban", "card"):
            yield Finding("iban", match.start(), end, False, "wrong checksum")


def cards(text: str) -> Found:
    """Payment cards of a known issuer, with the Luhn digit."""
    from stdnum import luhn

    for match in _CARD.finditer(text):
        start, end = match.span(1)
        digits = re.sub(r"\D", "", match[1])
        named = cue(text, start, end)
        # 13 digits are mostly bar codes, and Maestro's ranges hold much else.
        known = len(digits) != 13 and bool(_ISSUERS.fullmatch(digits))
        if luhn.is_valid(digits) and (known or named == "card"):
            why = "checksum" if named != "other" else "may be another number"
            yield Finding("card", start, end, named != "other", why)
        elif named == "card" and len(digits) >= 13:
            yield Finding("card", start, end, False, "wrong checksum")


def persons_of_france(text: str) -> Found:
    """Numbers of the register of persons (NIR), with or without their key."""
    from stdnum.fr import nir

    for match in _NIR.finditer(text):
        month = int(match["month"])
        # 20 and above stand for a month that nobody knows.
        if not (1 <= month <= 12 or 20 <= month <= 42 or month >= 50):
            continue
        named = cue(text, *match.span())
        number = re.sub(r"[ ./-]", "", match[0])
        if match["key"] and nir.is_valid(number):
            why = "key" if named != "other" else "may be another number"
            yield Finding("nir", *match.span(), named != "other", why)
        elif named == "social":
            sure = not match["key"]
            yield Finding("nir", *match.span(), sure, "wrong key")


def persons_of_us(text: str) -> Found:
    """Social security (SSN) and taxpayer (ITIN) numbers.

    They have no checksum: without dashes, only a word near by tells.
    """
    from stdnum.us import ssn

    for match in _SSN.finditer(text):
        number = re.sub(r"\D", "", match[0])
        named = cue(text, *match.span())
        told = named in ("social", "tax")
        dashed = match["s"] == "-"
        if not (told or dashed or match["s"] == " ") or named == "other":
            continue
        if _is_itin(number):
            kind: Kind = "itin"
        elif ssn.is_valid(number):
            kind = "ssn"
        elif told:
            yield Finding("ssn", *match.span(), False, "no such number is given out")
            continue
        else:
            continue
        sure = told or (dashed and named != "card")
        yield Finding(kind, *match.span(), sure, "no word near by tells")


def _is_itin(number: str) -> bool:
    """By the groups that the IRS gives out, publication 1915."""
    group = int(number[3:5])
    return number[0] == "9" and (
        50 <= group <= 99 and group not in (66, 67, 68, 69, 89, 93)
    )


@cache
def _iban_length(country: str) -> int:
    """Characters of an IBAN of the country, 0 if it has none."""
    from stdnum import numdb

    form = numdb.get("iban").info(country)[0][1].get("bban", "")
    sizes = [int(size) for size in re.findall(r"(\d+)!", form)]
    return 4 + sum(sizes) if sizes else 0


def _after(text: str, start: int, length: int) -> int | None:
    """End of `length` letters and digits from start, at most one sign between two."""
    taken, at = 0, start
    while length and at < len(text):
        if text[at].isascii() and text[at].isalnum():
            taken += 1
            if taken == length:
                ends = at + 1 == len(text) or not text[at + 1].isalnum()
                return at + 1 if ends else None
        elif text[at] not in " .-" or not text[at + 1 : at + 2].isalnum():
            return None
        at += 1
    return None


def _is_formed(number: str) -> bool:
    """Whether it is mostly digits: a wrong IBAN, and no sentence."""
    return sum(char.isdigit() for char in number) >= 10
