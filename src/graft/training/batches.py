"""Tokenized examples → micro-batches of packed documents. The order depends only on
the seed and the step number."""

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
    """The input of one forward pass: documents packed in a row without padding.

    Args:
        input_ids: [1, tokens].
        position_ids: of each token in its document. [1, tokens].
        documents: their boundaries.
        predicts: positions whose next token carries loss. [trained].
        targets: those next tokens. [trained].
        weights: of each target in the loss; None: all equal. [trained].
        total: sum of the weights.
        ids: of the examples, for messages.
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
    """Documents in memory, packed into sequences.

    Args:
        tokens: of all documents, concatenated. Shape [tokens].
        loss_mask: which of them carry loss. Shape [tokens].
        starts: where each document begins, and the end. Shape [documents + 1].
        ids: of the examples. Length [documents].
        max_seq_len: tokens of a sequence.
        packing: whether documents share sequences.
        repeats: how often each document is seen in an epoch; None: once.
        weights: of each document in the loss; None: all equal.
    """

    def __init__(
        self,
        tokens: Array,
        loss_mask: NDArray[np.bool_],
        starts: Array,
        ids: Sequence[str],
        max_seq_len: int,
        packing: bool,
        repeats: Array | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        self.tokens, self.loss_mask, self.starts = tokens, loss_mask, starts
        self.ids, self.weights, self.max_seq_len = ids, weights, max_seq_len
        self.lengths = np.diff(starts).tolist()
        seen = np.arange(len(ids)).repeat(1 if repeats is None else repeats).tolist()
        places = [[place] for place in range(len(seen))]
        if packing:
            places = pack([self.lengths[document] for document in seen], max_seq_len)
        self.packs = [[seen[place] for place in together] for together in places]

    @property
    def num_trained(self) -> int:
        """Tokens that carry loss in one epoch. A document's first token never does,
        as nothing precedes it."""
        return int(self.loss_mask.sum() - self.loss_mask[self.starts[:-1]].sum())

    def order(self, epoch: int, seed: int) -> Array:
        """The order of the sequences in an epoch. Shape [sequences]."""
        return np.random.default_rng([seed, epoch]).permutation(len(self.packs))

    def batch(self, packs: Sequence[int] | Array, device: str) -> MicroBatch:
        """The documents of some sequences as one micro-batch."""
        documents = [document for number in packs for document in self.packs[number]]
        spans = [np.arange(*self.starts[[i, i + 1]]) for i in documents]
        lengths = [len(span) for span in spans]
        where = np.concatenate(spans)
        positions = np.concatenate([np.arange(length) for length in lengths])
        targets = (self.loss_mask[where] & (positions > 0)).nonzero()[0]
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
            number: of the step, from 0. The last step of an epoch may be smaller.
            global_batch: sequences per step.
            micro_batch: sequences per forward pass.
        """
        epoch, at = divmod(number, self.steps_per_epoch(global_batch))
        chosen = self.order(epoch, seed)[at * global_batch : (at + 1) * global_batch]
        return [
            chosen[first : first + micro_batch]
            for first in range(0, len(chosen), micro_batch)
        ]

    def steps_per_epoch(self, global_batch: int) -> int:
        """Steps in which each sequence is seen once."""
        return -(-len(self.packs) // global_batch)

    def in_batches(self, size: int) -> list[range]:
        """All sequences once, unshuffled, in batches of `size`."""
        num = len(self.packs)
        return [range(at, min(at + size, num)) for at in range(0, num, size)]


def read_documents(
    source: Path, name: str, max_seq_len: int, config: TrainConfig
) -> PackedDocuments:
    """Read a split's examples. Oversampling and class weights apply to train only.

    Raises: DataError if it is empty, or an example is longer than `max_seq_len`.
    """
    tokens: list[Array] = []
    masks: list[Array] = []
    lengths: list[int] = []
    ids: list[str] = []
    strata: list[str] = []
    columns = ["id", "stratum", "input_ids", "loss_mask"]
    for table in io.read_batches(source, columns):
        for column, parts in (("input_ids", tokens), ("loss_mask", masks)):
            flat = table[column].combine_chunks().flatten()
            parts.append(flat.to_numpy(zero_copy_only=False))
        lengths += [len(row) for row in table["input_ids"]]
        ids += table["id"].to_pylist()
        strata += table["stratum"].to_pylist()
    if not lengths:
        raise DataError(
            str(source),
            f"the {name} split has no examples",
            expected="at least one",
            fix=(
                f"use a source with a {name} split, or raise split.{name}"
                if name != "train"
                else "use a source that is not only a test set"
            ),
        )
    if max(lengths) > max_seq_len:
        raise DataError(
            f"{source}: example {ids[int(np.argmax(lengths))]}",
            f"has {max(lengths)} tokens, more than tokenize.max_seq_len {max_seq_len}",
            fix="run tokenize again: dvc repro tokenize",
        )
    starts = np.cumsum([0, *lengths], dtype=np.int64)
    loss_mask = np.concatenate(masks).astype(np.bool_)
    times = weights = None
    if name == "train" and config.oversample:
        times = repeat_counts(np.array(strata), config.oversample)
    if name == "train" and config.class_weights:
        trained: Array = np.add.reduceat(loss_mask, starts[:-1], dtype=np.int64)
        trained = trained if times is None else trained * times
        weights = loss_weights(np.array(strata), trained, config.class_weights)
    return PackedDocuments(
        np.concatenate(tokens).astype(np.int64),
        loss_mask,
        starts,
        ids,
        max_seq_len,
        config.packing,
        times,
        weights,
    )
