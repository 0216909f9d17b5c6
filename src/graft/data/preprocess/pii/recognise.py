"""All recognisers over one text."""

from collections.abc import Callable, Collection, Sequence
from itertools import chain

from graft.data.preprocess.pii import accounts, addresses, numbers, phones
from graft.data.preprocess.pii.finding import Finding, Found, distinct
from graft.data.preprocess.pii.prefilter import Trait

_RECOGNISERS: dict[Trait, tuple[Callable[[str], Found], ...]] = {
    "digits": (
        numbers.cards,
        numbers.french_person_numbers,
        numbers.us_person_numbers,
    ),
    "iban": (numbers.ibans,),
    "ip": (addresses.ips,),
    "at": (addresses.emails, addresses.hidden_emails, accounts.handles),
    "site": (accounts.profiles,),
    "label": (accounts.labelled,),
    "tag": (accounts.tagged,),
}


def recognise(
    text: str, traits: Collection[Trait], regions: Sequence[str]
) -> list[Finding]:
    """Findings in a folded text, in order, without overlaps.

    Finds all kinds, also those whose action is `ignore`: a card that may stay must not
    be taken for a telephone number. `regions`: in whose national format telephone
    numbers are recognised.
    """
    found = [recogniser(text) for trait in traits for recogniser in _RECOGNISERS[trait]]
    if "digits" in traits:
        found.append(phones.phones(text, regions))
    return distinct(chain.from_iterable(found))
