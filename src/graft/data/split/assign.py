"""Assigns each example to a split by a hash of its group, stable under growth.

The rules, in order of precedence:
1. Official splits are kept. An official held-out split (validation, test) stays exactly
   as it is; no other examples are added to it.
2. An example without an official split whose group is in an official held-out split is
   rejected: in train it would leak, and in the held-out split it would change a
   published set.
3. A held-out split without official rows gets groups of train and of the examples
   without a split. Each group has a position on [0, 1), a hash of group and seed: the
   first `test` of that range are test, the last `validation` are validation.
4. A train example that overlaps a held-out one is rejected if the policy is `drop`
   (`graft.data.split.leakage`). It never moves to another split.

A position depends only on group and seed. So an example does not move when others are
added, a larger share only adds to a held-out split, and a group stays together. (An
example does move if a new one brings the first official held-out split of the data, or
puts its group into one: rules 1 and 2 come first.) Strata get their shares in
expectation only: an exact quota for each stratum would move old examples. The report
has the counts of each stratum.

A paraphrase goes to the split of its example, and is left out unless that is train: a
held-out split has each question once, in its original words.
"""

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from graft.config import SplitConfig
from graft.data.ordered import distinct
from graft.errors import DataError
from graft.records import SPLITS, Reject

TRAIN, VALIDATION, TEST, REJECTED, LEFT_OUT = range(5)
Codes = npt.NDArray[np.int8]
Hashes = npt.NDArray[np.uint64]


class Splitter:
    """Reads all batches once, and then assigns each batch by itself.

    Memory: 9 bytes per group of an official held-out split. Groups are compared by
    64-bit hashes; two of 10⁷ groups collide with a probability of 10⁻⁵.
    """

    def __init__(self, config: SplitConfig) -> None:
        self._config = config
        self._held_out = np.zeros(0, np.uint64)
        self._new: list[Hashes] = []
        self._given: set[int] = set()
        self._seen = np.zeros(0, np.uint8)

    def observe(self, table: pa.Table) -> None:
        """The first pass: columns group and split. Raises: DataError if an official
        split has an unknown name."""
        given = _official_codes(table["split"])
        self._given.update(distinct(given).tolist())
        held_out = table["group"].filter(pa.array(given > TRAIN))
        if len(held_out):
            self._new.append(_hashed(held_out, self._config.seed)[0])
            if sum(map(len, self._new)) > max(len(self._held_out), 100_000):
                self._merge()

    def assign(self, table: pa.Table) -> Codes:
        """Each example's split: an index into SPLITS, REJECTED, or LEFT_OUT for a
        paraphrase that is not in train. Columns group, split, augmented."""
        self._merge()
        given = _official_codes(table["split"])
        codes = np.where(given < 0, TRAIN, given).astype(np.int8)
        names, places = _hashed(table["group"], self._config.seed)
        free = codes == TRAIN
        if TEST not in self._given:
            codes[free & (places < self._config.test)] = TEST
        if VALIDATION not in self._given:
            codes[free & (places >= 1 - self._config.validation)] = VALIDATION
        number, known = self._number(names)
        codes[(given < 0) & known] = REJECTED
        kept = known & (codes < REJECTED)
        np.bitwise_or.at(
            self._seen, number[kept], np.uint8(1) << codes[kept].view("u1")
        )
        copies = table["augmented"].to_numpy().astype(bool)
        codes[copies & (codes != TRAIN)] = LEFT_OUT
        return codes

    @property
    def num_straddling(self) -> int:
        """Number of groups that official splits put into more than one split."""
        return int(np.sum(np.bitwise_count(self._seen) > 1))

    def _merge(self) -> None:
        if self._new:
            self._held_out = distinct(np.concatenate([self._held_out, *self._new]))
            self._seen = np.zeros(len(self._held_out), np.uint8)
            self._new = []

    def _number(
        self, names: Hashes
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Each group's index among officially held-out ones, and whether it is one."""
        if self._held_out.size == 0:
            return np.zeros(len(names), np.int64), np.zeros(len(names), np.bool_)
        number = np.searchsorted(self._held_out, names)
        number = np.minimum(number, len(self._held_out) - 1)
        return number, self._held_out[number] == names


def reject_group(where: str, group: str) -> Reject:
    """A row that rule 2 rejects."""
    return Reject(
        where=where,
        stage="split",
        reason="its group is in an official held-out split",
        value=group,
        expected="official splits for all rows of a group, or for none",
        fix="give the row the official split of its group, or another group",
    )


def _official_codes(official: pa.ChunkedArray) -> Codes:
    """Index into SPLITS, or -1 without an official split. Shape [rows]."""
    found = pc.index_in(official, pa.array(SPLITS))
    unknown = pc.and_(pc.is_valid(official), pc.is_null(found))
    if pc.any(unknown).as_py():
        names = sorted(set(official.filter(unknown).to_pylist()))
        raise DataError(
            f"split {', '.join(map(repr, names[:5]))}",
            "no such official split",
            expected="one of " + ", ".join(SPLITS) + ", or none",
            fix="rename it in the source, or set data.split: null",
        )
    codes: Codes = found.fill_null(-1).to_numpy().astype(np.int8)
    return codes


def _hashed(
    groups: pa.ChunkedArray, seed: int
) -> tuple[Hashes, npt.NDArray[np.float64]]:
    """Each example's group as a number of 64 bits, and its position on [0, 1), uniform
    over groups. Shapes [rows].

    A position is the first 53 bits, as many as a float holds, of the SHA-256 of seed
    and group.
    """
    coded = groups.combine_chunks().dictionary_encode()
    names = (f"{seed}:{group}".encode() for group in coded.dictionary.to_pylist())
    digests = b"".join(hashlib.sha256(name).digest() for name in names)
    numbers = np.frombuffer(digests, ">u8").astype(np.uint64).reshape(-1, 4)
    numbers = numbers[coded.indices.to_numpy()]
    places = (numbers[:, 0] >> np.uint64(11)).astype(np.float64) / 2**53
    return numbers[:, 1], places
