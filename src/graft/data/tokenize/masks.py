"""Token columns, and the rules that every loss mask must satisfy, over flat arrays."""

from collections.abc import Collection, Sequence
from itertools import chain

import numpy as np
import pyarrow as pa

from graft.records import Encoded
from graft.records.ragged import Ints, RaggedIds, Tokens


def flatten(encoded: Sequence[Encoded]) -> Tokens:
    """Concatenate sequences."""
    ragged = RaggedIds.of([one.input_ids for one in encoded])
    mask = chain.from_iterable(one.loss_mask for one in encoded)
    return Tokens(ragged.ids, np.fromiter(mask, np.bool_), ragged.starts)


def find_mask_errors(tokens: Tokens, stop_ids: Collection[int]) -> dict[int, str]:
    """Row → what is wrong with its loss mask, for each row with a wrong one.

    At least one token must carry loss, and each run of tokens with loss must end in one
    of `stop_ids`: a model that is not trained to end an answer never ends one.
    """
    errors = {
        int(row): "no token carries loss"
        for row in np.flatnonzero(tokens.num_trained == 0)
    }
    if not tokens.loss_mask.size:
        return errors
    continues = np.append(tokens.loss_mask[1:], False)
    continues[tokens.offsets[1:] - 1] = False
    ends = np.flatnonzero(tokens.loss_mask & ~continues)
    without_stop = ends[~np.isin(tokens.input_ids[ends], list(stop_ids))]
    for row in np.searchsorted(tokens.offsets, without_stop, side="right") - 1:
        errors.setdefault(int(row), "the end-of-turn token of an answer has no loss")
    return errors


def keep_last_answer(tokens: Tokens) -> Tokens:
    """The same sequences, with loss on the last answer of each only."""
    if not tokens.loss_mask.size:
        return tokens
    before = np.concatenate([[False], tokens.loss_mask[:-1]])
    before[tokens.offsets[:-1][tokens.lengths > 0]] = False
    run = np.cumsum(tokens.loss_mask & ~before)  # number of each token's run, from 1
    row = np.arange(len(tokens.lengths)).repeat(tokens.lengths)
    last = np.zeros(len(tokens.lengths), np.int64)
    np.maximum.at(last, row, run)
    return tokens._replace(loss_mask=tokens.loss_mask & (run == last[row]))


def count_answers(tokens: Tokens, stop_ids: Collection[int]) -> Ints:
    """Complete answers with loss, counted by their stop tokens. Shape [sequences]."""
    ends = tokens.loss_mask & np.isin(tokens.input_ids, list(stop_ids))
    ends[:-1] &= ~ends[1:]  # two stop tokens in a row end one answer
    return tokens.sum(ends)


def to_columns(tokens: Tokens) -> dict[str, pa.ListArray]:
    """Columns `input_ids` and `loss_mask`, one row per sequence."""
    offsets = pa.array(tokens.offsets, pa.int32())
    return {
        "input_ids": pa.ListArray.from_arrays(offsets, pa.array(tokens.input_ids)),
        "loss_mask": pa.ListArray.from_arrays(offsets, pa.array(tokens.loss_mask)),
    }
