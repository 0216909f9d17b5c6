"""Sequences on disk → micro-batches of packed documents, in an order that a step
number alone decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graft import io
from graft.config import TrainConfig
from graft.errors import DataError
from graft.training.attention import Documents, lay_out
from graft.training.oversampling import loss_weights, repeat_counts
from graft.training.packing import pack

Array = NDArray[np.int64]


@dataclass(frozen=True)
class MicroBatch:
    """One forward pass: documents one after the other in a row without padding.

    Args:
        input_ids: [1, tokens].
        position_ids: of each token in its document. [1, tokens].
        documents: where each lies.
        predicts: positions whose next token is learned. [learned].
        targets: those next tokens. [learned].
        weights: of each target in the loss; None: all the same. [learned].
        total: sum of the weights.
        ids: the examples' ids, for messages.
    """

    input_ids: Tensor
    position_ids: Tensor
    documents: Documents
    predicts: Tensor
    targets: Tensor
    weights: Tensor | None
    total: float
    ids: tuple[str, ...]


class PackedDocuments:
    """Documents in memory, and which of them share a sequence.

    Args:
        tokens: of all documents, one after the other. Shape [tokens].
        learned: which of them carry loss. Shape [tokens].
        starts: where each document begins, and the end. Shape [documents + 1].
        ids: of the examples. Length [documents].
        max_seq_len: tokens of a sequence.
        packing: whether documents share sequences.
        repeats: how often each document is seen in an epoch; None: once.
        weights: of each document in the loss; None: all the same.
    """

    def __init__(
        self,
        tokens: Array,
        learned: NDArray[np.bool_],
        starts: Array,
        ids: Sequence[str],
        max_seq_len: int,
        packing: bool,
        repeats: Array | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        self.tokens, self.loss_mask, self.starts, self.ids = (
            tokens,
            learned,
            starts,
            ids,
        )
        self.weights, self.max_seq_len = weights, max_seq_len
        self.lengths = np.diff(starts).tolist()
        seen = np.arange(len(ids)).repeat(1 if repeats is None else repeats).tolist()
        places = [[place] for place in range(len(seen))]
        if packing:
            places = pack([self.lengths[document] for document in seen], max_seq_len)
        self.packs = [[seen[place] for place in together] for together in places]

    @property
    def num_trained(self) -> int:
        """Tokens that carry loss in one epoch. A document's first token never does:
        nothing stands before it."""
        return int(self.loss_mask.sum() - self.loss_mask[self.starts[:-1]].sum())

    def order(self, epoch: int, seed: int) -> Array:
        """The sequences' order in an epoch."""
        return np.random.default_rng([seed, epoch]).permutation(len(self.packs))

    def batch(self, packs: Sequence[int] | Array, device: str) -> MicroBatch:
        """The documents of some sequences as one micro-batch."""
        documents = [document for number in packs for document in self.packs[number]]
        spans = [np.arange(*self.starts[[i, i + 1]]) for i in documents]
        lengths = [len(span) for span in spans]
        where = np.concatenate(spans)
        positions = np.concatenate([np.arange(length) for length in lengths])
        learned = self.loss_mask[where] & (positions > 0)
        targets = learned.nonzero()[0]
        weights = None
        if self.weights is not None:
            weights = self.weights[documents].repeat(lengths)[targets]

        def to(values: NDArray[Any]) -> Tensor:
            return torch.from_numpy(values).to(device, non_blocking=True)

        return MicroBatch(
            to(self.tokens[where])[None],
            to(positions)[None],
            lay_out(lengths, device),
            to(targets - 1),
            to(self.tokens[where[targets]]),
            None if weights is None else to(weights.astype(np.float32)),
            len(targets) if weights is None else float(weights.sum()),
            tuple(self.ids[document] for document in documents),
        )

    def step(
        self, number: int, global_batch: int, micro_batch: int, seed: int
    ) -> list[Array]:
        """The sequences of each micro-batch of a step.

        Args:
            number: of the step, from 0. Epochs follow each other; an epoch's last
                step takes what is left.
            global_batch: sequences a step.
            micro_batch: sequences a forward pass.
        """
        epoch, at = divmod(number, self.steps_per_epoch(global_batch))
        chosen = self.order(epoch, seed)[at * global_batch : (at + 1) * global_batch]
        return [
            chosen[first : first + micro_batch]
            for first in range(0, len(chosen), micro_batch)
        ]

    def steps_per_epoch(self, global_batch: int) -> int:
        """Steps in which every sequence is seen once."""
        return -(-len(self.packs) // global_batch)

    def in_batches(self, size: int) -> list[range]:
        """All sequences once, in their own order, so many at a time."""
        num = len(self.packs)
        return [range(at, min(at + size, num)) for at in range(0, num, size)]


def read_documents(
    source: Path, name: str, max_seq_len: int, config: TrainConfig
) -> PackedDocuments:
    """Read a split's sequences. Only of train are rare strata favoured.

    Raises: DataError if it is empty, or a sequence is longer than `max_seq_len`.
    """
    tokens: list[Array] = []
    learned: list[Array] = []
    lengths: list[int] = []
    ids: list[str] = []
    strata: list[str] = []
    columns = ["id", "stratum", "input_ids", "learned"]
    for table in io.read_batches(source, columns):
        for column, parts in (("input_ids", tokens), ("learned", learned)):
            flat = table[column].combine_chunks().flatten()
            parts.append(flat.to_numpy(zero_copy_only=False))
        lengths += [len(row) for row in table["input_ids"]]
        ids += table["id"].to_pylist()
        strata += table["stratum"].to_pylist()
    if not lengths:
        raise DataError(
            str(source),
            f"the {name} split has no example",
            expected="at least one",
            fix=(
                f"use a source with a {name} split, or raise split.{name}"
                if name != "train"
                else "use a source that is not a test set alone"
            ),
        )
    if max(lengths) > max_seq_len:
        raise DataError(
            f"{source}: example {ids[int(np.argmax(lengths))]}",
            f"has {max(lengths)} tokens, more than tokenize.max_seq_len {max_seq_len}",
            fix="run tokenize again: dvc repro tokenize",
        )
    starts = np.cumsum([0, *lengths], dtype=np.int64)
    marks = np.concatenate(learned).astype(np.bool_)
    times = weights = None
    if name == "train" and config.oversample:
        times = repeat_counts(np.array(strata), config.oversample)
    if name == "train" and config.class_weights:
        heard: Array = np.add.reduceat(marks, starts[:-1], dtype=np.int64)
        heard = heard if times is None else heard * times
        weights = loss_weights(np.array(strata), heard, config.class_weights)
    return PackedDocuments(
        np.concatenate(tokens).astype(np.int64),
        marks,
        starts,
        ids,
        max_seq_len,
        config.packing,
        times,
        weights,
    )
