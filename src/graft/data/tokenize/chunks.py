"""A long text → consecutive chunks in which every token carries loss exactly once.

A chunk consists of what precedes the answer (a start token, a prompt), the last
`overlap` tokens of the chunk before, as context without loss, and new tokens with loss.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graft.records import Encoded

Decode = Callable[[Sequence[int]], str]


@dataclass(frozen=True)
class TextChunk:
    """A chunk, its text with loss, and that text's length in UTF-8 bytes.

    The bytes of all chunks add up to those of the text, even where a chunk ends inside
    a character.
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
) -> list[TextChunk]:
    """The chunks of a sequence with one answer; none if its prompt leaves no room.

    Args:
        max_seq_len, overlap: in tokens.
        decode: decodes tokens from the beginning of the answer.
        decode_later: decodes tokens from within the answer.
    """
    first = long.loss_mask.index(True)
    prompt, answer = long.input_ids[:first], long.input_ids[first:]
    stride = max_seq_len - first - overlap
    if stride < 1:
        return []
    chunks = []
    start = num_bytes = 0
    while start < len(answer):
        # The first chunk repeats nothing, so that it has room for more new tokens.
        end = start + stride + (0 if start else overlap)
        repeated = answer[max(start - overlap, 0) : start]
        new = answer[start:end]
        bytes_so_far = len(decode(answer[:end]).encode())
        mask = [*[False] * (first + len(repeated)), *[True] * len(new)]
        encoded = Encoded([*prompt, *repeated, *new], mask)
        text = decode_later(new) if start else decode(new)
        chunks.append(TextChunk(encoded, text, bytes_so_far - num_bytes))
        start, num_bytes = end, bytes_so_far
    return chunks
