"""The held-out rule: which combinations of words only the test set may use.

A combination is a verb with the noun that is its object, or an adjective with the noun
that it describes. A hash of its three words decides, so the rule needs no list and
stays the same when the grammar grows: about one combination in eight is held out.
A train sentence has no such combination; a test sentence has at least one. The words
themselves are all known from train: what is new in test is that they meet.
"""

from collections.abc import Iterable
from hashlib import blake2b

from .phrases import Pair

HELD_OUT_PERCENT = 12


def is_held_out(pair: Pair) -> bool:
    """True if only the test set may use this combination.

    Args: pair: `object` and verb, or `adjective` and adjective; then the noun.
    """
    digest = blake2b("|".join(pair).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % 100 < HELD_OUT_PERCENT


def any_held_out(pairs: Iterable[Pair]) -> bool:
    """True if at least one of the combinations is held out."""
    return any(is_held_out(pair) for pair in pairs)


def words(text: str) -> set[str]:
    """The words of a sentence as the test set counts them: lower case, no marks."""
    return {word.strip(".,!?").lower() for word in text.split()} - {""}
