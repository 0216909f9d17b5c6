"""The bytes that tokens add to a text, for constrained decoding."""

from collections.abc import Mapping, Sequence
from functools import cache

TokenBytes = Sequence[bytes | None]
"""By id. None: a control token, or no token; it adds nothing."""

_SPACE = "▁"  # how SentencePiece writes a space


def byte_level(piece: str) -> bytes | None:
    """Bytes of a piece in the alphabet of GPT-2, in which each character is a byte."""
    alphabet = _alphabet()
    found = [alphabet.get(character, -1) for character in piece]
    return None if -1 in found else bytes(found)


def sentencepiece(piece: str) -> bytes:
    """Bytes of a piece of SentencePiece, or of a conversion from it."""
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return bytes([int(piece[3:5], 16)])
    return piece.replace(_SPACE, " ").encode()


def by_id(pieces: Mapping[int, bytes | None]) -> TokenBytes:
    """Bytes of each id from 0 on."""
    return [pieces.get(number) for number in range(max(pieces, default=-1) + 1)]


@cache
def _alphabet() -> dict[str, int]:
    """Printable bytes are themselves; the others follow the first 256 characters."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(byte): byte for byte in shown} | {
        chr(256 + place): byte for place, byte in enumerate(hidden)
    }
