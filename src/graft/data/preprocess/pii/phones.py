"""Telephone numbers: with a country code, or in the format of a configured region."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from graft.data.preprocess.pii import phone_forms as forms
from graft.data.preprocess.pii.cues import (
    Cue,
    cue,
    in_url,
    is_phone_field,
    is_phone_label,
)
from graft.data.preprocess.pii.finding import Finding, Found
from graft.data.preprocess.pii.numbering import (
    homes,
    is_possible,
    is_valid,
    is_written_so,
)

_NEAR = 25
_MOST_GROUPS = 8
_OTHERS = ("other", "version", "card", "social", "tax", "iban")


class _Place(NamedTuple):
    """The context of a number.

    Attributes:
        named: the kind that words near it indicate.
        labelled: whether a word directly at it indicates a telephone number.
        whole: whether it is a whole run of digits.
        part: whether it is part of something longer.
        alone: whether nothing else is on its line.
    """

    named: Cue | None
    labelled: bool
    whole: bool
    part: bool
    alone: bool


class _Verdict(NamedTuple):
    sure: bool
    why: str


def phones(text: str, regions: Sequence[str]) -> Found:
    """Telephone numbers, with their extension.

    A number in the format of its region, or with a valid country code, is sure; so is a
    possible number after a word such as "phone". Others are borderline.
    """
    for short in forms.SHORT.finditer(text):
        if not forms.is_other(text, *short.span("number")):
            yield Finding("phone", *short.span("number"), True, "field")
    for run in forms.RUN.finditer(text):
        start, end = run.span()
        if in_url(text, start) and not is_phone_field(text, start):
            continue
        named = cue(text, start, end)
        label = is_phone_label(text, start, end) or is_phone_field(text, start)
        if named != "phone" and not label and forms.is_amount(run[0]):
            continue
        near = named == "phone" and cue(text, start, end, before=_NEAR) == "phone"
        free = start
        borderline: Finding | None = None
        for begin, stop, whole in _windows(text, start, end):
            if begin < free or forms.is_other(text, begin, stop):
                continue
            place = _Place(
                "phone" if label else named,
                label or near,
                whole,
                forms.is_part(text, begin, stop),
                _is_alone(text, begin, stop),
            )
            verdict = _judge(text[begin:stop], regions, place)
            if verdict is None:
                continue
            if extension := forms.EXTENSION.match(text, stop):
                stop = extension.end()
            finding = Finding("phone", begin, stop, *verdict)
            if verdict.sure:
                yield finding
                free = stop
            borderline = borderline or finding
        if borderline is not None and free == start:
            yield borderline


def _windows(text: str, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Start, end and whether it is the whole run, of parts that could be a number, the
    longest first.

    A run may contain more than one number, or a postal code after it; a number begins
    and ends at a space, a slash or a bracket.
    """
    groups = [match.span() for match in forms.GROUP.finditer(text, start, end)]
    glued = text[end : end + 1].isalnum() and not is_phone_label(text, start, end)
    if glued and not forms.EXTENSION.match(text, end):
        groups.pop()  # it continues as a word
    last_group = len(groups) - 1
    joints = [
        bool(re.search(r"[ /()]", text[one[1] : other[0]]))
        for one, other in zip(groups, groups[1:])
    ]
    begins = [True, *joints]
    ends = [*joints, True]
    for first, (begin, _) in enumerate(groups):
        if not begins[first]:
            continue
        for last in range(min(last_group, first + _MOST_GROUPS), first - 1, -1):
            size = sum(stop - at for at, stop in groups[first : last + 1])
            if ends[last] and 7 <= size <= 17:
                whole = first == 0 and last == last_group
                yield _signed(text, start, begin), groups[last][1], whole


def _signed(text: str, least: int, begin: int) -> int:
    """Start of the number whose first digit is at `begin`, including its + or (.

    A bracket counts if it closes after a few digits; others belong to the sentence.
    """
    while begin > least and text[begin - 1] in "+( ":
        begin -= 1
    while text[begin] == " " or (
        text[begin] == "(" and not re.match(r"\(\+? ?\d{1,5} ?\)", text[begin:][:12])
    ):
        begin += 1
    return begin


def _is_alone(text: str, start: int, end: int) -> bool:
    """Whether it is a line of its own among others, as in an address."""
    return "\n" in text and bool(
        re.search(r"(?:^|\n) *$", text[max(0, start - 9) : start])
        and re.match(r" *(?:\n|$)", text[end:][:9])
    )


def _judge(number: str, regions: Sequence[str], place: _Place) -> _Verdict | None:
    """Whether a number is surely a telephone number, and why; None if it is none.

    One that is part of something longer, or of a run, needs an unambiguous format.
    """
    digits = re.sub(r"\D", "", number)
    if verdict := _abroad(number, digits, place):
        return verdict
    american = forms.AMERICAN.fullmatch(number)
    if american and ("US" in regions or "CA" in regions):
        verdict = _american(american, digits, place)
        if not verdict.sure:
            verdict = _national(number, digits, regions, place) or verdict
    elif forms.BRACKETED.fullmatch(number):
        verdict = _Verdict(True, "form")
    else:
        verdict = _national(number, digits, regions, place)
    if verdict is not None:
        return verdict if verdict.sure or place.whole else None
    if place.labelled and place.whole and not place.part and len(digits) <= 15:
        return _Verdict(True, "possible, not valid")
    return None


def _abroad(number: str, digits: str, place: _Place) -> _Verdict | None:
    """A number with + or 00 and a country code."""
    bare = re.sub(r"\(0\)", "", number)
    plus = number[0] == "+" or number.startswith("(+")
    if not plus:
        prefix = next((sign for sign in ("00", "011") if digits.startswith(sign)), "")
        if not prefix or len(digits) < 10 + len(prefix) or place.part:
            return None
        bare = re.sub(r"\D", "", bare)[len(prefix) :]
    bare = "+" + re.sub(r"\D", "", bare)
    if is_valid(bare):
        return _Verdict(True, "valid")
    named = place.labelled or place.named == "phone"
    if not place.whole or bare[1:2] == "0" or not 8 <= len(digits) <= 17:
        return None
    grouped = plus and (named or not number[1:].isdigit())
    if grouped or is_possible(bare) and (named or plus or number != digits):
        return _Verdict(grouped or len(digits) >= 9, "possible, not valid")
    return None


def _american(match: re.Match[str], digits: str, place: _Place) -> _Verdict:
    """Three, three and four digits; separated by spaces only, they must be valid."""
    if place.named == "phone":
        return _Verdict(True, "form")
    if place.named == "other":
        return _Verdict(False, "a word near it indicates another kind")
    if place.part:
        return _Verdict(False, "part of something longer")
    spaced = not match["a"] and match["s"] in " _" and match["t"] in " _"
    sure = not spaced or is_valid("+1" + digits[-10:])
    return _Verdict(sure, "form, not valid")


def _national(
    number: str, digits: str, regions: Sequence[str], place: _Place
) -> _Verdict | None:
    """A valid number: sure by a word near it, or by the format of its region."""
    groups = forms.GROUP.findall(number)
    valid = marked = written = False
    for home in homes(digits, regions):
        valid = True
        marked = marked or home.trunk == "0" and len(groups[0]) > 1
        written = written or is_written_so(number, home)
        if marked:
            break
    if valid and place.named == "phone" and (place.whole or marked):
        return _Verdict(True, "valid")
    if forms.is_amount(number) or forms.is_counting(digits):
        return None
    if place.named in _OTHERS or place.part:
        why = "a word near it indicates another kind"
        return _Verdict(False, why) if written else None
    if marked or "FR" in regions and forms.PAIRS.fullmatch(number):
        return _Verdict(True, "valid")
    if not valid:
        zero = not place.labelled and forms.ZERO.fullmatch(number)
        return _Verdict(False, "form, not valid") if zero else None
    # Lists of other numbers also look like pairs or two halves.
    typical = written and len(digits) >= 9 and len(groups) > 1 and len(groups[0]) > 2
    lined = place.alone and 2 <= len(groups) <= 5
    return _Verdict(
        place.whole and (typical or lined), "valid, without a word that confirms this"
    )
