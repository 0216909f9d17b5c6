"""Which split an example belongs to: by hash of its group, stable under growth.

The rules, in this order:
1. Official splits are kept. A held-out one that is given (validation, test) stays
   exactly as it is given; nothing is carved for it, and nothing is added to it.
2. An example without an official split whose group stands in an official held-out
   split is rejected: in train it would leak, and in the held-out split it would change
   a published set.
3. For a held-out split that is not given, groups are carved from train and from the
   examples without a split: those whose position on [0, 1), a hash of group and seed,
   is in the last `validation` or the first `test` of it.

A position depends on nothing but group and seed, so an old example never moves when
others come, a larger share only adds to a held-out split, and a group stays together.
(It does move if a new example brings the data's first official held-out split, or puts
its group into one: rules 1 and 2 go first.) Strata get their shares in expectation: a
quota for each stratum would be exact, and would move old examples. What each stratum
got is reported.

A paraphrase of an example goes where its example goes, and only train keeps it: a
held-out split asks each question once, in its own words.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from graft.config import SplitConfig
from graft.errors import DataError
from graft.records import REJECT_SCHEMA, SPLITS, Reject

TRAIN, VALIDATION, TEST, REJECTED, LEFT_OUT = range(5)
MAX_STRATA = 50
Codes = npt.NDArray[np.int8]


def position(group: str, seed: int) -> float:
    """A group's place on [0, 1), uniform over groups. Source: SHA-256's first 53 bits,
    as many as a float holds."""
    head = hashlib.sha256(f"{seed}:{group}".encode()).digest()[:7]
    return (int.from_bytes(head) >> 3) / 2**53


def assign_splits(
    groups: pa.ChunkedArray, official: pa.ChunkedArray, config: SplitConfig
) -> Codes:
    """Each example's split: an index into SPLITS, or REJECTED. Shape [examples].

    Args:
        groups: strings. Shape [examples].
        official: split names or null. Shape [examples].
        config: shares and seed.
    Raises: DataError if an official split has another name.
    """
    given = _official_codes(official)
    number, names = _numbered(groups)
    places = np.array([position(name, config.seed) for name in names])[number]
    codes = np.where(given < 0, TRAIN, given).astype(np.int8)
    free = codes == TRAIN
    if not np.any(given == TEST):
        codes[free & (places < config.test)] = TEST
    if not np.any(given == VALIDATION):
        codes[free & (places >= 1 - config.validation)] = VALIDATION
    held_out = np.zeros(len(names), bool)
    held_out[number[given > TRAIN]] = True
    codes[(given < 0) & held_out[number]] = REJECTED
    return codes


def leave_out(codes: Codes, augmented: pa.ChunkedArray) -> Codes:
    """The same codes, but LEFT_OUT for a paraphrase that is not in train."""
    copies = augmented.to_numpy(zero_copy_only=False).astype(bool)
    return np.where(copies & (codes != TRAIN), LEFT_OUT, codes).astype(np.int8)


def select(tables: Iterable[pa.Table], codes: Codes, code: int) -> Iterator[pa.Table]:
    """The rows of each table that have this code; tables in the order of `codes`."""
    at = 0
    for table in tables:
        yield table.filter(pa.array(codes[at : at + table.num_rows] == code))
        at += table.num_rows


def rejects_of(tables: Iterable[pa.Table], codes: Codes) -> Iterator[pa.Table]:
    """A reject for each row that rule 2 leaves out, from columns where and group."""
    for table in select(tables, codes, REJECTED):
        rows = [
            Reject(
                where=row["where"],
                stage="split",
                reason="its group stands in an official held-out split",
                value=row["group"],
                expected="a group that is wholly official or wholly free",
                fix="give the row the official split of its group, or another group",
            )
            for row in table.to_pylist()
        ]
        yield pa.Table.from_pylist([vars(row) for row in rows], REJECT_SCHEMA)


def count_straddling(groups: pa.ChunkedArray, codes: Codes) -> int:
    """Groups that stand in more than one split, as official splits can make them."""
    number, names = _numbered(groups)
    seen = np.zeros((len(names), len(SPLITS)), bool)
    kept = codes < REJECTED
    seen[number[kept], codes[kept]] = True
    return int(np.sum(seen.sum(axis=1) > 1))


def to_report(
    groups: pa.ChunkedArray, strata: pa.ChunkedArray, codes: Codes
) -> dict[str, Any]:
    """Counts by split and by stratum, and what to mind. Raises: AssertionError if the
    counts do not add up."""
    counts = {name: int(np.sum(codes == i)) for i, name in enumerate(SPLITS)}
    rejects = int(np.sum(codes == REJECTED))
    copies = int(np.sum(codes == LEFT_OUT))
    sums = " + ".join(f"{count} {name}" for name, count in counts.items())
    balance = f"{len(codes)} sequences = {sums} + {rejects} rejects"
    if copies:
        balance += f" + {copies} paraphrases of what is held out"
    if len(codes) != sum(counts.values()) + rejects + copies:
        raise AssertionError(balance)
    straddling = count_straddling(groups, codes)
    return {
        "balance": balance,
        "counts": {**counts, "rejects": rejects, "paraphrases_left_out": copies},
        "strata": _by_stratum(strata.to_pylist(), codes),
        "straddling_groups": straddling,
        "warnings": _warnings(counts, straddling),
    }


def _official_codes(official: pa.ChunkedArray) -> Codes:
    """Index into SPLITS, or -1 where there is none."""
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


def _numbered(groups: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], list[str]]:
    """Each example's group as a number, and the groups' names by number."""
    coded = groups.combine_chunks().dictionary_encode()
    return coded.indices.to_numpy(), coded.dictionary.to_pylist()


def _by_stratum(strata: Iterable[str], codes: Codes) -> dict[str, dict[str, int]]:
    """Counts by stratum and split; past MAX_STRATA the smallest are put together."""
    strata = list(strata)
    largest = {name for name, _ in Counter(strata).most_common(MAX_STRATA)}
    table: dict[str, dict[str, int]] = {}
    kinds = (*SPLITS, "rejects")
    for stratum, code in zip(strata, codes.tolist(), strict=True):
        if code == LEFT_OUT:
            continue
        name = stratum if stratum in largest else "(others)"
        row = table.setdefault(name, dict.fromkeys(kinds, 0))
        row[kinds[code]] += 1
    return table


def _warnings(counts: dict[str, int], straddling: int) -> list[str]:
    empty = {
        "train": "train is empty: there is nothing to learn from; "
        "give examples that are not held out, or lower split.validation and split.test",
        "validation": "validation is empty: training cannot see when to stop; "
        "raise split.validation",
        "test": "test is empty: nothing will be scored; raise split.test",
    }
    found = [text for name, text in empty.items() if not counts[name]]
    if straddling:
        found.append(
            f"{straddling} groups stand in more than one official split, which were "
            "kept as they are: scores may be too good"
        )
    return found
