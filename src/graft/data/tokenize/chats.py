"""Conversations of an Arrow column as Python messages, and their answers' bytes."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graft.records import Message
from graft.records.ragged import Ints


def to_chats(column: pa.ChunkedArray) -> list[list[Message]]:
    """The messages of each row of a MESSAGES column.

    Reads the flat child columns, which takes half the time of `to_pylist`.
    """
    turns = pc.list_flatten(column)
    roles = pc.struct_field(turns, "role").to_pylist()
    texts = pc.struct_field(turns, "content").to_pylist()
    flat = [
        Message(role=role, content=text)
        for role, text in zip(roles, texts, strict=True)
    ]
    without_loss = pc.equal(pc.struct_field(turns, "learn"), False).fill_null(False)
    for index in np.flatnonzero(without_loss.to_numpy()):
        flat[index]["learn"] = False
    sizes = pc.list_value_length(column).to_numpy()
    ends = np.cumsum(np.concatenate([[0], sizes]), dtype=np.int64).tolist()
    return [flat[start:end] for start, end in pairwise(ends)]


def count_answer_bytes(column: pa.ChunkedArray, num_answers: Ints) -> Ints:
    """UTF-8 bytes of the last `num_answers` answers with loss of each row of MESSAGES.
    Shapes [rows]. A text and the tool calls after it are one answer."""
    turns = pc.list_flatten(column)
    role, learn = pc.struct_field(turns, "role"), pc.struct_field(turns, "learn")
    without_loss = pc.equal(learn, False).fill_null(False).to_numpy()
    calls = pc.equal(role, "tool_calls").to_numpy()
    answers = pc.equal(role, "assistant").to_numpy()
    rows = pc.list_parent_indices(column).to_numpy()
    continues = np.zeros(len(rows), np.bool_)  # tool calls after a text
    continues[1:] = calls[1:] & answers[:-1] & (rows[1:] == rows[:-1])
    with_loss = (answers | calls) & ~without_loss
    sizes = pc.binary_length(pc.struct_field(turns, "content")).to_numpy()[with_loss]
    starts = with_loss & ~continues
    ends = np.cumsum(np.bincount(rows[starts], minlength=len(column)))
    first = np.flatnonzero(starts[with_loss])  # the first turn of each answer
    before = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    bounds = before[np.append(first, len(sizes))]
    return np.asarray(bounds[ends] - bounds[ends - num_answers], np.int64)
