"""Telephone numbers: with a country code, or in the form of a known region."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from graft.data.pii.cues import Cue, cue, in_url
from graft.data.pii.finding import Finding, Found

_SEP = r"(?:[-./] ?| [-./] | {1,2}|[ .-]?\(| ?\)[ .\-/]?)"
_RUN = re.compile(
    rf"(?<![\w$€£¥*%^])(?<!\d[.,:])(?<!\w-)(?:\(?\+ ?\(?|\()?\d(?:{_SEP}?\d){{6,}}\)?"
)
_GROUP = re.compile(r"\d+")
_EXTENSION = re.compile(
    r" ?,? ?(?:x|ext(?:ension)?\.?|poste|#) ?:? ?\d{1,6}(?!\w)", re.IGNORECASE
)
_AMOUNT = re.compile(
    r" ?(?:€|%|\$|£|°|(?:eur|euros?|usd|dollars?|km|kg|m|m²|habitants|people|personnes"
    r"|inhabitants|bytes|octets|votes?|millions?|fois|times)\b)",
    re.IGNORECASE,
)
_SUM = re.compile(r" ?[=*^+]")
_DATE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])[-/.](?:19|20)\d\d"
    r"|(?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:19|20)\d\d"
    r"|(?:1[5-9]|20)\d\d ?[-/] ?(?:1[5-9]|20)\d\d)(?!\d)"
)
# North American: an area code begins with 2 to 9, whether it is in use or not.
_AMERICAN = re.compile(
    r"(?:\+? ?1[-. ]{0,2}|001[-. ]?)?(?:\((?P<a>\d{3})\)[-. ]{0,2}|(?P<b>\d{3})(?P<s>[-./ ]))"
    r"\d{3}(?P<t>[-. ])\d{4}"
)
_LOCAL = re.compile(r"[2-9]\d{2}[-. ]\d{4}")
_THOUSANDS = re.compile(r"\d{1,3}(?:([ .])\d{3})(?:\1\d{3})+")
# An area code in brackets, as in most of Europe.
_BRACKETED = re.compile(
    r"(?=(?:\D*\d){9,12}$)\(0\d{1,4}\) ?[/-]? ?\d{2,8}(?:[ -]\d{2,5})*"
)
# Of no region that is known; taken only right after a word such as "phone".
_LOOSE = re.compile(
    r"(?=(?:\D*\d){8,15}$)\(?\d{2,5}\)?(?:[ ./-]{1,2}\d{2,8}){2,5}|0\d{1,4}[ ./-]\d{4,9}"
)
_NEAR = 25
_MOST_GROUPS = 8


class _Verdict(NamedTuple):
    sure: bool
    why: str


class _Form(NamedTuple):
    """How a region writes its numbers: the sign before them, and their lengths."""

    trunk: str
    lengths: tuple[int, ...]


def phones(text: str, regions: Sequence[str]) -> Found:
    """Telephone numbers, with their extension.

    A number in the form of its region, or with a valid country code, is sure; so is
    one that is only possible after a word such as "phone". Else it is borderline.
    """
    for run in _RUN.finditer(text):
        if in_url(text, run.start()) and not text[: run.start()].endswith("wa.me/"):
            continue
        if _SUM.match(text, run.end()):
            continue
        named = cue(text, *run.span())
        free = run.start()
        borderline: Finding | None = None
        for start, end in _windows(text, run.start(), run.end()):
            if start < free:
                continue
            verdict = _judge(text, start, end, regions, named)
            if verdict is None:
                continue
            if extension := _EXTENSION.match(text, end):
                end = extension.end()
            finding = Finding("phone", start, end, *verdict)
            if verdict.sure:
                yield finding
                free = end
            elif borderline is None:
                borderline = finding
        if borderline is not None and free == run.start():
            yield borderline


def _windows(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Whole groups of digits that could be a number, the longest first.

    A run may hold more than one number, or a postal code after it.
    """
    groups = [match.span() for match in _GROUP.finditer(text, start, end)]
    if end < len(text) and (text[end].isalnum() or text[end] == "_"):
        if not _EXTENSION.match(text, end):
            groups.pop()  # it goes on as a word
    for first, (begin, _) in enumerate(groups):
        for last in range(min(len(groups), first + _MOST_GROUPS) - 1, first - 1, -1):
            size = sum(stop - at for at, stop in groups[first : last + 1])
            if 7 <= size <= 17:
                yield _signed(text, start, begin), groups[last][1]


def _signed(text: str, least: int, begin: int) -> int:
    """Where a number begins whose first digit stands at `begin`: at its + or (."""
    while begin > least and text[begin - 1] in "+( ":
        begin -= 1
    while text[begin] == " " or text[begin] == "(" and not _closes(text, begin):
        begin += 1
    return begin


def _closes(text: str, begin: int) -> bool:
    """Whether the bracket is one around the first digits only."""
    return bool(re.match(r"\(\+? ?\d{1,5} ?\)", text[begin : begin + 12]))


def _judge(
    text: str, start: int, end: int, regions: Sequence[str], named: Cue | None
) -> _Verdict | None:
    """What text[start:end] is; None if it is no telephone number."""
    number = text[start:end]
    if number.count("(") != number.count(")") or _DATE.search(number):
        return None
    if text[end : end + 1] in "-/" and text[end + 1 : end + 2].isalpha():
        return None
    if re.match(r"[.,:]\d", text[end:]) or _AMOUNT.match(text, end):
        return None
    digits = re.sub(r"\D", "", number)
    abroad = _international(number, digits)
    if abroad is not None:
        if _is_valid(abroad, None):
            return _Verdict(True, "valid")
        if _is_possible(abroad) and (
            named == "phone" or number[0] == "+" or number != digits
        ):
            return _Verdict(len(digits) >= 9, "possible, not valid")
    if number[0] == "+":
        return None
    if _BRACKETED.fullmatch(number):
        return _Verdict(True, "form")
    told = named == "phone"
    american = _AMERICAN.fullmatch(number)
    if american and ("US" in regions or "CA" in regions):
        return _american(american, digits, told, named == "other")
    for region in regions:
        if _fits(digits, region) and (verdict := _national(number, digits, region)):
            if told:
                return _Verdict(True, verdict.why)
            if named not in (None, "ip", "tax", "iban"):
                return (
                    _Verdict(False, "another word stands near")
                    if verdict.sure
                    else None
                )
            return verdict
    if cue(text, start, end, before=_NEAR) != "phone":
        return None
    if _LOCAL.fullmatch(number) or _LOOSE.fullmatch(number):
        return _Verdict(True, "possible, after a word that says so")
    if 9 <= len(digits) <= 13:
        return _Verdict(len(digits) >= 10, "possible, after a word that says so")
    return None


def _american(
    match: re.Match[str], digits: str, told: bool, other: bool
) -> _Verdict | None:
    real = digits[-10] in "23456789"
    if told:
        return _Verdict(True, "form, after a word that says so")
    if other:
        return _Verdict(False, "another word stands near") if real else None
    spaced = not match["a"] and match["s"] == " " and match["t"] == " "
    if real and (not spaced or _is_valid("+1" + digits[-10:], None)):
        return _Verdict(True, "form")
    return _Verdict(False, "form, not valid")


def _national(number: str, digits: str, region: str) -> _Verdict | None:
    """Of a number of the right length: valid, and written as one writes it there?"""
    if not _is_valid(digits, region) or _THOUSANDS.fullmatch(number):
        return None
    groups = _GROUP.findall(number)
    trunk = _form(region).trunk
    if groups == _GROUP.findall(_written(digits, region)):
        return _Verdict(True, "valid")
    if trunk == "0" and len(groups[0]) > 1:  # the sign before it is enough
        return _Verdict(True, "valid")
    return _Verdict(False, "valid, without a word that says so")


def _international(number: str, digits: str) -> str | None:
    """The number with + if it has a country code."""
    if number[0] == "+" or number.startswith("(+"):
        return re.sub(r"\(0\)", "", number).lstrip("(")
    for prefix in ("00", "011"):
        if digits.startswith(prefix) and len(digits) >= 10 + len(prefix):
            bare = re.sub(r"\(0\)", "", number)
            return "+" + re.sub(r"\D", "", bare)[len(prefix) :]
    return None


def _fits(digits: str, region: str) -> bool:
    trunk, lengths = _form(region)
    if trunk == "0":
        return digits[0] == "0" and len(digits) - 1 in lengths
    return len(digits) in lengths or (
        bool(trunk) and digits.startswith(trunk) and len(digits) - len(trunk) in lengths
    )


@cache
def _form(region: str) -> _Form:
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        raise ValueError(f"no region {region}")
    lengths = tuple(metadata.general_desc.possible_length)
    trunk = metadata.national_prefix or ""
    # Where most is written with the sign, the length without it tells nothing.
    return _Form(trunk if trunk in ("0", "1", "8", "06") else "", lengths)


def known_region(region: str) -> bool:
    """Whether numbers of the region can be told."""
    import phonenumbers

    return region in phonenumbers.SUPPORTED_REGIONS


def _is_valid(number: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _is_possible(number: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


def _written(digits: str, region: str) -> str:
    import phonenumbers

    return phonenumbers.format_number(
        phonenumbers.parse(digits, region), phonenumbers.PhoneNumberFormat.NATIONAL
    )
