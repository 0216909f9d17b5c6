"""Telephone numbers: with a country code, or in the form of a known region."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graft.data.pii.cues import Cue, cue, in_url
from graft.data.pii.finding import Finding, Found
from graft.data.pii.numbering import fits, is_possible, is_valid, is_written_so

_SEP = r"(?:[-./] ?| [-./] | {1,2}|[ .-]?\(| ?\)[ .\-/]?)"
_RUN = re.compile(
    r"(?<![\w$€£¥*%^])(?<!\d[.,:])(?<!\w-)"
    rf"(?:\(?\+ ?\(?|\()?\d(?:{_SEP}?\d){{6,}}\)?"
)
_GROUP = re.compile(r"\d+")
_EXTENSION = re.compile(
    r" ?,? ?(?:x|ext(?:ension)?\.?|poste|#) ?:? ?\d{1,6}(?!\w)", re.IGNORECASE
)
_SUM = re.compile(r" ?[=*^+]")
_AMOUNT = re.compile(
    r"[.,:]\d|[-/][^\W\d_]| ?(?:€|%|\$|£|°|(?:eur|euros?|usd|dollars?|km|kg|m|m²|bytes"
    r"|octets|habitants|inhabitants|people|personnes|votes?|millions?|fois|times)\b)",
    re.IGNORECASE,
)
_YEAR, _DAY, _MONTH = (
    r"(?:19|20)\d\d",
    r"(?:0?[1-9]|[12]\d|3[01])",
    r"(?:0?[1-9]|1[0-2])",
)
_DATE = re.compile(
    rf"(?<!\d)(?:{_YEAR}[-/. ]{_MONTH}[-/. ]{_DAY}|{_DAY}[-/.]{_MONTH}[-/.]{_YEAR}"
    rf"|{_MONTH}[-/.]{_DAY}[-/.]{_YEAR}"
    r"|(?:1[5-9]|20)\d\d ?[-/ ] ?(?:1[5-9]|20)\d\d)(?!\d)"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:([ .])\d{3})(?:\1\d{3})+")
# North American: an area code begins with 2 to 9, whether it is in use or not.
_AMERICAN = re.compile(
    r"(?:\+? ?1[-. ]{0,2}|001[-. ]?)?"
    r"(?:\((?P<a>\d{3})\)[-. ]{0,2}|\d{3}(?P<s>[-./ ]))\d{3}(?P<t>[-. ])\d{4}"
)
# An area code in brackets, as in most of Europe.
_BRACKETED = re.compile(
    r"(?=(?:\D*\d){9,12}$)\(0\d{1,4}\) ?[/-]? ?\d{2,8}(?:[ -]\d{2,5})*"
)
# Of no region that is known; taken only right after a word such as "phone".
_LOOSE = re.compile(
    r"[2-9]\d{2}[-. ]\d{4}|(?=(?:\D*\d){8,15}$)"
    r"(?:\(?\d{2,5}\)?(?:[ ./-]{1,2}\d{2,8}){2,5}|0\d{1,4}[ ./-]\d{4,9})"
)
_BARE = re.compile(r"\d{9,13}")
_NEAR = 25
_MOST_GROUPS = 8


class _Verdict(NamedTuple):
    sure: bool
    why: str


def phones(text: str, regions: Sequence[str]) -> Found:
    """Telephone numbers, with their extension.

    A number in the form of its region, or with a valid country code, is sure; so is
    one that is only possible after a word such as "phone". Else it is borderline.
    """
    for run in _RUN.finditer(text):
        linked = in_url(text, run.start())
        if linked and not text[: run.start()].endswith("wa.me/"):
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
            if verdict is None or _is_other(text, start, end):
                continue
            if extension := _EXTENSION.match(text, end):
                end = extension.end()
            finding = Finding("phone", start, end, *verdict)
            if verdict.sure:
                yield finding
                free = end
            borderline = borderline or finding
        if borderline is not None and free == run.start():
            yield borderline


def _windows(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Whole groups of digits that could be a number, the longest first.

    A run may hold more than one number, or a postal code after it.
    """
    groups = [match.span() for match in _GROUP.finditer(text, start, end)]
    if text[end : end + 1].isalnum() and not _EXTENSION.match(text, end):
        groups.pop()  # it goes on as a word
    for first, (begin, _) in enumerate(groups):
        for last in range(min(len(groups), first + _MOST_GROUPS) - 1, first - 1, -1):
            size = sum(stop - at for at, stop in groups[first : last + 1])
            if 7 <= size <= 17:
                yield _signed(text, start, begin), groups[last][1]


def _signed(text: str, least: int, begin: int) -> int:
    """Where a number begins whose first digit stands at `begin`: at its + or (.

    A bracket counts if it closes after a few digits; others are of the sentence.
    """
    while begin > least and text[begin - 1] in "+( ":
        begin -= 1
    while text[begin] == " " or (
        text[begin] == "(" and not re.match(r"\(\+? ?\d{1,5} ?\)", text[begin:][:12])
    ):
        begin += 1
    return begin


def _judge(
    text: str, start: int, end: int, regions: Sequence[str], named: Cue | None
) -> _Verdict | None:
    """What text[start:end] is; None if it is no telephone number."""
    number = text[start:end]
    digits = re.sub(r"\D", "", number)
    told = named == "phone"
    verdict = _abroad(number, digits, told)
    if verdict or number[0] == "+":
        return verdict
    american = _AMERICAN.fullmatch(number)
    if american and ("US" in regions or "CA" in regions):
        return _american(american, digits, named)
    if _BRACKETED.fullmatch(number):
        return _Verdict(True, "form")
    for region in regions:
        if fits(digits, region) and is_valid(digits, region):
            return _national(number, digits, region, named)
    if told and cue(text, start, end, before=_NEAR) == "phone":
        if _LOOSE.fullmatch(number) or _BARE.fullmatch(number):
            return _Verdict(len(digits) != 9, "possible, not valid")
    return None


def _is_other(text: str, start: int, end: int) -> bool:
    """Whether it is a date, an amount, or only a part of something in brackets."""
    number = text[start:end]
    broken = number.count("(") != number.count(")")
    return broken or bool(_DATE.search(number) or _AMOUNT.match(text, end))


def _abroad(number: str, digits: str, told: bool) -> _Verdict | None:
    """A number with + or 00 and the code of a country."""
    bare = re.sub(r"\(0\)", "", number)
    if number[0] != "+" and not number.startswith("(+"):
        prefix = next((sign for sign in ("00", "011") if digits.startswith(sign)), "")
        if not prefix or len(digits) < 10 + len(prefix):
            return None
        bare = re.sub(r"\D", "", bare)[len(prefix) :]
    bare = "+" + bare.lstrip("(+ ")
    if is_valid(bare):
        return _Verdict(True, "valid")
    if told and number[0] == "+" and 8 <= len(digits) <= 15:
        return _Verdict(True, "possible, not valid")
    if is_possible(bare) and (told or number != digits):
        return _Verdict(len(digits) >= 9, "possible, not valid")
    return None


def _american(match: re.Match[str], digits: str, named: Cue | None) -> _Verdict | None:
    """Three, three and four digits; between blanks alone they must be valid too."""
    if named == "phone":
        return _Verdict(True, "form")
    if digits[-10] not in "23456789":
        return None if named == "other" else _Verdict(False, "form, not valid")
    if named == "other":
        return _Verdict(False, "another word stands near")
    spaced = not match["a"] and match["s"] == match["t"] == " "
    sure = not spaced or is_valid("+1" + digits[-10:])
    return _Verdict(sure, "form, not valid")


def _national(
    number: str, digits: str, region: str, named: Cue | None
) -> _Verdict | None:
    """A valid number: sure by a word near by, or if it is written as one does."""
    if named == "phone":
        return _Verdict(True, "valid")
    if _THOUSANDS.fullmatch(number):
        return None
    written = is_written_so(number, digits, region)
    if named in ("other", "version", "card", "social"):
        return _Verdict(False, "another word stands near") if written else None
    return _Verdict(written, "valid, without a word that says so")
