"""Token columns and the label-mask contract, over flat arrays."""

from collections.abc import Collection, Sequence
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graft.prompts.pools import Ints, Tokens
from graft.records import Encoded

__all__ = [
    "Ints",
    "Tokens",
    "find_faults",
    "flatten",
    "join",
    "learn_last",
    "to_columns",
]


def flatten(encoded: Sequence[Encoded]) -> Tokens:
    """Put sequences one after another."""
    lengths = [len(one.input_ids) for one in encoded]
    total = sum(lengths)
    ids = chain.from_iterable(one.input_ids for one in encoded)
    marks = chain.from_iterable(one.learned for one in encoded)
    return Tokens(
        np.fromiter(ids, np.int32, total),
        np.fromiter(marks, np.bool_, total),
        np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
    )


def find_faults(tokens: Tokens, stop_ids: Collection[int]) -> dict[int, str]:
    """Sequences that break the label-mask contract, by row: what is wrong.

    A sequence has at least one learned token, and each run of learned tokens ends in
    one of `stop_ids`: a model that never learns to end an answer never ends one.
    """
    faults = {
        int(row): "no token is learned"
        for row in np.flatnonzero(tokens.num_learned == 0)
    }
    if not tokens.learned.size:
        return faults
    goes_on = np.append(tokens.learned[1:], False)
    goes_on[tokens.offsets[1:] - 1] = False
    ends = np.flatnonzero(tokens.learned & ~goes_on)
    endless = ends[~np.isin(tokens.input_ids[ends], list(stop_ids))]
    for row in np.searchsorted(tokens.offsets, endless, side="right") - 1:
        faults.setdefault(int(row), "the end of an answer is not learned")
    return faults


def learn_last(tokens: Tokens) -> Tokens:
    """The same sequences; of each, only the last run of learned tokens is learned."""
    learned = tokens.learned.copy()
    for start, end in pairwise(tokens.offsets):
        part = learned[start:end]
        gaps = np.flatnonzero(part[:-1] & ~part[1:])
        last = np.flatnonzero(part)
        ends = gaps[gaps < last[-1]] if last.size else gaps
        if ends.size:
            part[: ends[-1] + 1] = False
    return Tokens(tokens.input_ids, learned, tokens.offsets)


def join(
    input_ids: Sequence[Sequence[int] | npt.NDArray[np.int32]],
    learned: Sequence[Sequence[bool] | npt.NDArray[np.bool_]],
) -> Tokens:
    """Put sequences, given as arrays, one after another."""
    lengths = [len(ids) for ids in input_ids]
    return Tokens(
        np.concatenate([np.zeros(0, np.int32), *map(np.asarray, input_ids)]).astype(
            np.int32
        ),
        np.concatenate([np.zeros(0, np.bool_), *map(np.asarray, learned)]).astype(
            np.bool_
        ),
        np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
    )


def to_columns(tokens: Tokens) -> dict[str, pa.ListArray]:
    """Columns `input_ids` and `learned`, one row a sequence."""
    offsets = pa.array(tokens.offsets, pa.int32())
    return {
        "input_ids": pa.ListArray.from_arrays(offsets, pa.array(tokens.input_ids)),
        "learned": pa.ListArray.from_arrays(offsets, pa.array(tokens.learned)),
    }
