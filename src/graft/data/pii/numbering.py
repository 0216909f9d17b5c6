"""Numbering plans of the world, as phonenumbers knows them."""

import re
from functools import cache
from typing import NamedTuple

_GROUP = re.compile(r"\d+")


class _Plan(NamedTuple):
    """The sign before a region's numbers, and their lengths without it."""

    trunk: str
    lengths: tuple[int, ...]


def known_region(region: str) -> bool:
    """Whether the numbers of the region can be told."""
    import phonenumbers

    return region in phonenumbers.SUPPORTED_REGIONS


def is_valid(number: str, region: str | None = None) -> bool:
    """Whether the number is in a range that is given out."""
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def is_possible(number: str) -> bool:
    """Whether a number with + has a country's code and a length it may have there."""
    import phonenumbers

    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


def fits(digits: str, region: str) -> bool:
    """Whether there are as many digits as the region's numbers have.

    Where these begin with 0 as one writes them, it must be there.
    """
    trunk, lengths = _plan(region)
    bare = len(digits) - len(trunk)
    if digits.startswith(trunk) and bare in lengths:
        return True
    return trunk != "0" and len(digits) in lengths


def is_written_so(number: str, digits: str, region: str) -> bool:
    """Whether a valid number is grouped as in its region, or shows its leading 0."""
    import phonenumbers

    groups = _GROUP.findall(number)
    national = phonenumbers.format_number(
        phonenumbers.parse(digits, region), phonenumbers.PhoneNumberFormat.NATIONAL
    )
    marked = _plan(region).trunk == "0" and len(groups[0]) > 1
    return marked or groups == _GROUP.findall(national)


@cache
def _plan(region: str) -> _Plan:
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.general_desc is None:
        raise ValueError(f"no numbers are known of region {region}")
    trunk = metadata.national_prefix or ""
    return _Plan(trunk, tuple(metadata.general_desc.possible_length))
