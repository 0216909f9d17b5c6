"""Numbers with a fixed format, most with a checksum: bank accounts, cards, persons."""

import re
from functools import cache

from graft.config.pii import Kind
from graft.data.preprocess.pii.cues import Cue, cue
from graft.data.preprocess.pii.finding import Finding, Found

_SEP = r"(?: ?[-./_] ?| |\n)"
_START = (
    r"(?:(?<![^\W_])|(?<=\\[nrt])"
    r"|(?i:(?<=ssn)|(?<=nir)|(?<=visa)|(?<=card)|(?<=amex)))"
)
_IBAN = re.compile(
    r"(?:(?<![^\W_])|(?<=IBAN)|(?<=iban)|(?<=\\[nrt]))[A-Za-z]{2}\d{2}"
    r"(?=[ ./\n-]{0,2}[A-Za-z0-9])"
)
# Searched at every position, since a group before may belong to something else.
_CARD = re.compile(
    rf"{_START}(?<!\d[.])(?<!\+)"
    rf"(?=(\d{{4}}{_SEP}\d{{4}}{_SEP}\d{{4}}(?:{_SEP}\d{{1,4}}){{0,2}}"
    rf"|\d{{4}}{_SEP}\d{{6}}{_SEP}\d{{4,5}}|\d{{12,19}})"
    r"(?:(?=(?i:visa|amex|cvv))|(?![^\W_]|\.\d)))"
)
_EXPIRY = re.compile(r"[ ,;|/]{1,3}(?:0[1-9]|1[0-2])[/-](?:20)?[2-4]\d(?!\d)")
_NIR = re.compile(
    rf"{_START}[1-478](?P<s>[ .-]?)\d{{2}}(?P=s)(?P<month>\d{{2}})(?P=s)"
    r"(?:\d{2}|2[abAB])(?P=s)\d{3}(?P=s)\d{3}"
    r"(?P<key>[ ./-]{0,3}\d{2}(?!/\d\d))?(?![^\W_])"
)
_SSN = re.compile(
    rf"{_START}(?<!\d[-.])\d{{3}}(?P<s>[- ._]?)\d{{2}}(?P=s)\d{{4}}"
    r"(?![^\W_]|[-.]\d|-[A-Z\d]+\d)"
)

_ROW = re.compile(r"\d{4}[ .-]$")
_NEAR_CARD = 25
"""Characters between two cards of one list."""

# First digits and lengths of the issuers, ISO/IEC 7812 as the networks publish it.
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12,15}"  # Discover
    r"|3(?:0[0-5]|[689]\d)\d{11,16}"  # Diners Club
    r"|35\d{14,17}|(?:2131|1800)\d{11}"  # JCB
    r"|62\d{14,17}|220[0-4]\d{12}"  # UnionPay, Mir
    r"|(?:50|5[6-8]|6\d)\d{10,17}"  # Maestro
)


def ibans(text: str) -> Found:
    """Account numbers with the length and format of their country, valid by mod 97."""
    from stdnum import iban

    for match in _IBAN.finditer(text):
        country = match[0][:2].upper()
        end = _after(text, match.start(), _iban_length(country))
        if end is None:
            continue
        number = re.sub(r"[ ./\n-]", "", text[match.start() : end])
        if iban.is_valid(number, check_country=False):
            yield Finding("iban", match.start(), end, True, "checksum")
        elif len(re.findall(r"[0-9]", number)) >= 10:  # mistyped, and not a sentence
            if cue(text, match.start(), end) in ("iban", "card"):
                yield Finding("iban", match.start(), end, False, "wrong checksum")


def cards(text: str) -> Found:
    """Payment cards of a known issuer, checked by the Luhn algorithm."""
    last = -_NEAR_CARD
    for match in _CARD.finditer(text):
        start, end = match.span(1)
        if start < last:
            continue
        named = cue(text, start, end)
        if named is None and start - last < _NEAR_CARD:
            named = "card"
        if expiry := _EXPIRY.search(text, start + 12, end + 8):
            end, named = min(end, expiry.start()), "card"
        # Three groups after a fourth are a list of numbers, unless a card ends there.
        in_row = start - last > 3 and bool(_ROW.search(text, max(0, start - 6), start))
        for stop in _card_ends(text, start, end):
            spelt = text[start:stop]
            digits = re.sub(r"\D", "", spelt)
            if _is_card(spelt, digits, named):
                few = in_row and len(digits) == 12
                sure = named != "other" and not few and not _is_doubtful(spelt, named)
                why = "checksum" if sure else "may be another number"
                yield Finding("card", start, stop, sure, why)
                last = stop if sure else last
                break
        else:
            if named == "card" and len(re.sub(r"\D", "", text[start:end])) >= 13:
                yield Finding("card", start, end, False, "wrong checksum")


def _card_ends(text: str, start: int, end: int) -> list[int]:
    """Where the card may end, the last first: its code may directly follow it."""
    if text.count("\n", start, end) > 1:
        return []
    ends = [start + match.end() for match in re.finditer(r"\d+", text[start:end])]
    sizes = [len(re.sub(r"\D", "", text[start:stop])) for stop in ends]
    # Twelve digits with four more after them are not a card of twelve.
    return [
        stop
        for stop, size in zip(ends[::-1], sizes[::-1], strict=True)
        if size in (15, 16) or 12 <= size <= 19 and sizes[-1] - size < 4
    ]


def _is_card(spelt: str, digits: str, named: Cue | None) -> bool:
    """Whether Luhn's check passes, and issuer, a word or the grouping indicates it."""
    from stdnum import luhn

    grouped = re.fullmatch(r"\d{4}(-\d{4}){3}|\d{4}-\d{6}-\d{5}", spelt)
    known = _ISSUERS.fullmatch(digits) or grouped or named == "card"
    return bool(known) and luhn.is_valid(digits)


def _is_doubtful(spelt: str, named: Cue | None) -> bool:
    """Whether so few digits may be an amount or another code, such as a bar code."""
    from stdnum import ean

    few = spelt.isdigit() and len(spelt) <= 13 and named != "card"
    return few and (len(spelt) == 12 or spelt[0] != "4" or ean.is_valid(spelt))


def french_person_numbers(text: str) -> Found:
    """French social security numbers (NIR), with or without their check digits."""
    from stdnum.fr import nir

    for match in _NIR.finditer(text):
        month = int(match["month"])
        # 20 and above mean that the month is unknown.
        if not (1 <= month <= 12 or 20 <= month <= 42 or month >= 50):
            continue
        named = cue(text, *match.span())
        number = re.sub(r"[ ./-]", "", match[0])
        if named == "card" or named != "social" and _is_rather_card(number):
            continue
        if match["key"] and nir.is_valid(number):
            why = "key" if named != "other" else "may be another number"
            yield Finding("nir", *match.span(), named != "other", why)
        elif named == "social":
            sure = not match["key"]
            yield Finding("nir", *match.span(), sure, "wrong key")


def us_person_numbers(text: str) -> Found:
    """Social security (SSN) and taxpayer (ITIN) numbers.

    They have no checksum: without dashes, only a word near the number identifies them.
    """
    from stdnum.us import ssn

    for match in _SSN.finditer(text):
        number = re.sub(r"\D", "", match[0])
        named = cue(text, *match.span())
        labelled = named in ("social", "tax")
        dashed = match["s"] == "-"
        if not (labelled or dashed or match["s"] == " ") or named == "other":
            continue
        if _is_itin(number):
            kind: Kind = "itin"
        elif ssn.is_valid(number):
            kind = "ssn"
        elif labelled:
            yield Finding("ssn", *match.span(), False, "not an assigned number")
            continue
        else:
            continue
        sure = labelled or (dashed and named != "card")
        yield Finding(kind, *match.span(), sure, "no word near it confirms this")


def _is_rather_card(number: str) -> bool:
    """Whether 15 digits are also a valid American Express card. Few persons have a
    number that begins with 3."""
    from stdnum import luhn

    return (
        number[0] == "3" and bool(_ISSUERS.fullmatch(number)) and luhn.is_valid(number)
    )


def _is_itin(number: str) -> bool:
    """By the groups that the IRS assigns. Source: IRS publication 1915."""
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
    """End of `length` letters and digits from start, with at most two separators
    between two of them; None if there are fewer."""
    taken, at = 0, start
    while length and at < len(text):
        if text[at].isascii() and text[at].isalnum():
            taken += 1
            if taken == length:
                ends = at + 1 == len(text) or not text[at + 1].isalnum()
                return at + 1 if ends else None
        elif not re.match(r"[ ./\n-]{1,2}[^\W_]", text[at : at + 3]):
            return None
        at += 1
    return None
