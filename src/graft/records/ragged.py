"""Ragged arrays: token ids of many texts, one text after another in NumPy arrays."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from graft.records import Encoded

Ids = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]


class Tokens(NamedTuple):
    """The tokens of many sequences, one after another.

    Attributes:
        input_ids: shape [tokens].
        loss_mask: the loss mask: whether a token carries loss. Shape [tokens].
        offsets: where each sequence begins, then the end of the last. Shape
            [sequences + 1].
    """

    input_ids: Ids
    loss_mask: npt.NDArray[np.bool_]
    offsets: Ints

    @property
    def lengths(self) -> Ints:
        """Tokens of each sequence. Shape [sequences]."""
        return np.diff(self.offsets)

    @property
    def num_trained(self) -> Ints:
        """Trained tokens of each sequence. Shape [sequences]."""
        return self.sum(self.loss_mask)

    def sum(self, values: npt.NDArray[np.bool_]) -> Ints:
        """The number of true values in each sequence. `values`: shape [tokens]."""
        before = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
        return np.asarray(np.diff(before[self.offsets]), np.int64)

    def row(self, number: int) -> Encoded:
        """One sequence."""
        span = slice(*self.offsets[number : number + 2])
        return Encoded(self.input_ids[span].tolist(), self.loss_mask[span].tolist())


@dataclass(frozen=True)
class RaggedIds:
    """Ids of texts. Iterated or indexed, it gives the ids of a text as a list.

    Attributes:
        ids: shape [tokens].
        lengths: tokens of each text. Shape [texts].
    """

    ids: Ids
    lengths: Ints

    @classmethod
    def of(cls, texts: Sequence[Sequence[int]]) -> Self:
        """The array of these texts' ids."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        flat = chain.from_iterable(texts)
        return cls(np.fromiter(flat, np.int32, int(lengths.sum())), lengths)

    @classmethod
    def join(cls, arrays: Iterable["RaggedIds"]) -> Self:
        """The texts of several arrays, in order."""
        parts = list(arrays)
        return cls(
            np.concatenate([np.zeros(0, np.int32), *(part.ids for part in parts)]),
            np.concatenate([np.zeros(0, np.int64), *(part.lengths for part in parts)]),
        )

    @property
    def starts(self) -> Ints:
        """Where each text begins, then the end of the last. Shape [texts + 1]."""
        return np.concatenate([[0], np.cumsum(self.lengths)])

    def take(self, order: Ints) -> "RaggedIds":
        """The texts at these indices, in this order. `order`: shape [taken]."""
        lengths = self.lengths[order]
        shift = self.starts[order] - (np.cumsum(lengths) - lengths)
        return RaggedIds(
            self.ids[np.arange(lengths.sum()) + shift.repeat(lengths)], lengths
        )

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, number: int) -> list[int]:
        start = int(self.lengths[:number].sum())
        found: list[int] = self.ids[start : start + self.lengths[number]].tolist()
        return found

    def __iter__(self) -> Iterator[list[int]]:
        starts = self.starts.tolist()
        for start, end in zip(starts[:-1], starts[1:], strict=True):
            yield self.ids[start:end].tolist()
