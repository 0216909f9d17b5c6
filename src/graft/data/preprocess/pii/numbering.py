"""National numbering plans, from the library phonenumbers."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

_GROUP = re.compile(r"\d+")
# The kinds of number that libphonenumber's own check of validity looks at.
_KINDS = (
    "fixed_line mobile toll_free premium_rate shared_cost personal_number voip pager"
    " uan voicemail"
).split()


class _Plan(NamedTuple):
    """A region's trunk prefix, lengths without it, pattern of valid numbers, and
    formats: (pattern with a group for each part, pattern of the beginning of such
    numbers)."""

    trunk: str
    lengths: frozenset[int]
    valid: re.Pattern[str]
    formats: tuple[tuple[re.Pattern[str], re.Pattern[str] | None], ...]


class Home(NamedTuple):
    """A region in which a number is valid, and the number without its trunk prefix."""

    region: str
    trunk: str
    national: str


def known_region(region: str) -> bool:
    """Whether phonenumbers has the numbering plan of the region."""
    import phonenumbers

    return region in phonenumbers.SUPPORTED_REGIONS


def is_valid(number: str) -> bool:
    """Whether the number with + is in an assigned range."""
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


def is_possible(number: str) -> bool:
    """Whether a number with + has a country code and a length that is used there."""
    import phonenumbers

    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


def homes(digits: str, regions: Sequence[str]) -> Iterator[Home]:
    """The regions in which the digits are a valid number.

    In regions with the trunk prefix 0, the digits must include it.
    """
    for region in _by_length(tuple(regions)).get(len(digits), ()):
        plan = _plan(region)
        trunk = plan.trunk if digits.startswith(plan.trunk) else ""
        if plan.trunk == "0" and not trunk:
            continue
        national = digits[len(trunk) :]
        if len(national) in plan.lengths and plan.valid.fullmatch(national):
            yield Home(region, trunk, national)
        elif plan.trunk != "0" and plan.valid.fullmatch(digits):
            yield Home(region, "", digits)


def is_written_so(number: str, home: Home) -> bool:
    """Whether the number's digits are grouped as its region groups them."""
    groups = _GROUP.findall(number)
    for pattern, begins in _plan(home.region).formats:
        match = pattern.fullmatch(home.national)
        if match and (begins is None or begins.match(home.national)):
            first, *rest = match.groups()
            return groups in ([home.trunk + first, *rest], [home.trunk, first, *rest])
    return False


@cache
def _by_length(regions: tuple[str, ...]) -> dict[int, list[str]]:
    """Regions by the number of digits of their numbers, with and without trunk 0."""
    found: dict[int, list[str]] = {}
    for region in regions:
        plan = _plan(region)
        sizes = {length + len(plan.trunk) for length in plan.lengths}
        for size in sizes | (set() if plan.trunk == "0" else plan.lengths):
            found.setdefault(size, []).append(region)
    return found


@cache
def _plan(region: str) -> _Plan:
    import phonenumbers

    metadata: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.general_desc is None:
        raise ValueError(f"no numbering plan for region {region}")
    kinds = [getattr(metadata, kind) for kind in _KINDS]
    patterns = [kind.national_number_pattern for kind in kinds if kind is not None]
    formats = [
        (re.compile(one.pattern), _begins(one.leading_digits_pattern))
        for one in metadata.number_format
    ]
    return _Plan(
        metadata.national_prefix or "",
        frozenset(metadata.general_desc.possible_length),
        re.compile("|".join(f"(?:{pattern})" for pattern in patterns if pattern)),
        tuple(formats),
    )


def _begins(patterns: Sequence[str]) -> re.Pattern[str] | None:
    """The last pattern, which is the most specific."""
    return re.compile(patterns[-1]) if patterns else None
