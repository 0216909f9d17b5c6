"""A column of conversations as Python messages, and its sizes."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graft.data.tokenize.masks import Ints
from graft.records import Message


def to_chats(column: pa.ChunkedArray) -> list[list[Message]]:
    """The messages of each row of a MESSAGES column.

    Flat columns are read, not a structure a turn: half the time of `to_pylist`.
    """
    turns = pc.list_flatten(column)
    roles = pc.struct_field(turns, "role").to_pylist()
    texts = pc.struct_field(turns, "content").to_pylist()
    flat = [
        Message(role=role, content=text)
        for role, text in zip(roles, texts, strict=True)
    ]
    unlearned = pc.equal(pc.struct_field(turns, "learn"), False).fill_null(False)
    for place in np.flatnonzero(unlearned.to_numpy()):
        flat[place]["learn"] = False
    sizes = pc.list_value_length(column).to_numpy()
    ends = np.cumsum(np.concatenate([[0], sizes]), dtype=np.int64).tolist()
    return [flat[start:end] for start, end in pairwise(ends)]


def said_bytes(column: pa.ChunkedArray, num_answers: Ints) -> Ints:
    """Bytes in UTF-8 of the last answers of each row that may be learned.

    Args:
        column: of MESSAGES. A text and the calls of tools after it are one answer.
        num_answers: how many answers of each row count. Shape [rows].
    """
    turns = pc.list_flatten(column)
    role, learn = pc.struct_field(turns, "role"), pc.struct_field(turns, "learn")
    read_only = pc.equal(learn, False).fill_null(False).to_numpy()
    calls = pc.equal(role, "tool_calls").to_numpy()
    answers = pc.equal(role, "assistant").to_numpy()
    rows = pc.list_parent_indices(column).to_numpy()
    goes_on = np.zeros(len(rows), np.bool_)
    goes_on[1:] = calls[1:] & answers[:-1] & (rows[1:] == rows[:-1])
    said = (answers | calls) & ~read_only
    sizes = pc.binary_length(pc.struct_field(turns, "content")).to_numpy()[said]
    starts = said & ~goes_on
    ends = np.cumsum(np.bincount(rows[starts], minlength=len(column)))
    first = np.flatnonzero(starts[said])  # of each answer among its turns
    before = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    bounds = before[np.append(first, len(sizes))]
    return np.asarray(bounds[ends] - bounds[ends - num_answers], np.int64)
