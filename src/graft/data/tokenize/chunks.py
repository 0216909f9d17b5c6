"""Long texts → sequences that follow each other, each token learned once.

A chunk begins with what precedes the answer (a start token, a prompt), goes on with
the last `overlap` tokens of the chunk before, which it reads and does not learn, and
then learns what comes next.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graft.records import Encoded

Decode = Callable[[Sequence[int]], str]


@dataclass(frozen=True)
class Chunk:
    """A part of a sequence, the text that it learns, and that text's bytes in UTF-8.

    Bytes of a text's chunks add up to those of the text, also where a chunk ends
    inside a character.
    """

    encoded: Encoded
    text: str
    num_bytes: int


def to_chunks(
    long: Encoded,
    max_seq_len: int,
    overlap: int,
    decode: Decode,
    decode_later: Decode,
) -> list[Chunk]:
    """The chunks of a sequence with one answer; none if its prompt leaves no room.

    Args:
        decode: text of the answer's first tokens.
        decode_later: text of tokens that other tokens of the answer precede.
    """
    first = long.learned.index(True)
    prompt, answer = long.input_ids[:first], long.input_ids[first:]
    stride = max_seq_len - first - overlap
    if stride < 1:
        return []
    chunks = []
    at = num_bytes = 0
    while at < len(answer):
        # The first chunk has nothing to repeat, and so room for more.
        upto = at + stride + (0 if at else overlap)
        repeated = answer[max(at - overlap, 0) : at]
        new = answer[at:upto]
        told = len(decode(answer[:upto]).encode())
        marks = [*[False] * (first + len(repeated)), *[True] * len(new)]
        encoded = Encoded([*prompt, *repeated, *new], marks)
        text = decode_later(new) if at else decode(new)
        chunks.append(Chunk(encoded, text, told - num_bytes))
        at, num_bytes = upto, told
    return chunks
