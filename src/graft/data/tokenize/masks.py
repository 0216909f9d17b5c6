"""Token columns and the label-mask contract, over flat arrays."""

from collections.abc import Collection, Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

from graft.prompts.pools import Ints, Tokens
from graft.records import Encoded

__all__ = [
    "Ints",
    "Tokens",
    "find_faults",
    "flatten",
    "learn_last",
    "num_answers",
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
    if not tokens.learned.size:
        return tokens
    before = np.concatenate([[False], tokens.learned[:-1]])
    before[tokens.offsets[:-1][tokens.lengths > 0]] = False
    run = np.cumsum(tokens.learned & ~before)  # of each token, from 1
    row = np.arange(len(tokens.lengths)).repeat(tokens.lengths)
    last = np.zeros(len(tokens.lengths), np.int64)
    np.maximum.at(last, row, run)
    return tokens._replace(learned=tokens.learned & (run == last[row]))


def num_answers(tokens: Tokens, stop_ids: Collection[int]) -> Ints:
    """Whole answers that each sequence learns, by their ends. Shape [sequences]."""
    ends = tokens.learned & np.isin(tokens.input_ids, list(stop_ids))
    ends[:-1] &= ~ends[1:]  # an end of two tokens is one
    return tokens.sum(ends)


def to_columns(tokens: Tokens) -> dict[str, pa.ListArray]:
    """Columns `input_ids` and `learned`, one row a sequence."""
    offsets = pa.array(tokens.offsets, pa.int32())
    return {
        "input_ids": pa.ListArray.from_arrays(offsets, pa.array(tokens.input_ids)),
        "learned": pa.ListArray.from_arrays(offsets, pa.array(tokens.learned)),
    }
