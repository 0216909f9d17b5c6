"""Leakage: train rows that share too many n-grams of words with held-out texts.

A held-out text is one side of an example (all user turns, or all assistant turns) or a
text of a benchmark row. A train row's overlap with it is the share of the text's
n-grams that occur in the row, on either side. Three rules avoid wrong results:
- An n-gram of more than `max_common` groups (train and held-out together) is
  boilerplate and does not count; GPT-3 uses 10 (Brown et al. 2020, arXiv:2005.14165,
  appendix C). Groups are counted, not rows: ten answers to one leaked question do not
  make it boilerplate. Linear counting in 64 bits estimates the number within about
  10 % (Whang et al. 1990).
- A prompt that equals a held-out one word for word leaks, however short or common. This
  is the only test for texts of fewer than n words. Short answers are not compared.
- Numbers are words: the same sum with other numbers is another example.

Memory: about 40 bytes per held-out n-gram (twice that while the index is built), the
source positions of held-out examples, and one byte per train row.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from graft.config import LeakageConfig
from graft.data.columns import to_frame
from graft.data.split.ngrams import (
    Hashes,
    Ints,
    WordIndex,
    hash_texts,
    to_ngrams,
    to_words,
)
from graft.data.split.overlaps import Index, best_pairs, to_index
from graft.data.split.texts import first_side, group_bits, hash_rows, sides, slices
from graft.errors import DataError
from graft.records import Reject, shorten

FEWEST_WORDS = 4
"""Benchmark texts with fewer words, such as the answer `yes`, are not compared."""
SHOWN = 200


class LeakedPair(NamedTuple):
    """A train row and the held-out text that it overlaps most."""

    where: str
    id: str
    held_out: str
    overlap: float
    shared: str

    def to_reject(self, threshold: float) -> Reject:
        """The train row as a reject."""
        return Reject(
            where=self.where,
            stage="split",
            reason="overlaps held-out data",
            value=f"{self.overlap:.2f} of {self.held_out}: {self.shared}",
            expected=f"under {threshold:g} of the n-grams of any held-out text",
            fix="remove it, give both rows the same group, or change split.leakage",
        )


class HeldOutTexts:
    """Collects the n-grams of held-out examples and benchmarks."""

    def __init__(self, config: LeakageConfig) -> None:
        self.config = config
        self._texts = [np.zeros(0, np.int64)]
        self._ngrams = [np.zeros(0, np.uint64)]
        self._wholes = [np.zeros(0, np.uint64)]
        self._whole_texts = [np.zeros(0, np.int64)]
        self._bits = [np.zeros(0, np.uint64)]
        self._names = [pl.Series([], dtype=pl.String)]
        self.num_texts = 0

    def add_examples(self, table: pa.Table) -> None:
        """Add held-out examples: columns id, where, group, messages."""
        for rows in slices(to_frame(table)):
            names = rows["where"] + " (id " + rows["id"] + ")"
            both, bits = sides(rows), group_bits(rows["group"])
            has_prompt = (both["prompt"] != "").to_numpy()
            whole = np.ones(rows.height, np.bool_)
            self._add(first_side(both), names, bits, whole)
            if self.config.answers and has_prompt.any():
                answers = both["answer"].filter(has_prompt)
                none = np.zeros(len(answers), np.bool_)
                self._add(answers, names.filter(has_prompt), bits[has_prompt], none)

    def add_texts(self, where: Sequence[str], texts: Sequence[str]) -> None:
        """Add texts of benchmarks. Both of shape [texts]."""
        names = pl.Series(where, dtype=pl.String)
        column = pl.Series(texts, dtype=pl.String)
        counts = hash_texts(to_words(column), len(column))[1]
        self._add(column, names, group_bits(names), counts >= FEWEST_WORDS)

    def _add(
        self,
        texts: pl.Series,
        names: pl.Series,
        bits: Hashes,
        whole: npt.NDArray[np.bool_],
    ) -> None:
        words = to_words(texts)
        ngrams, first = to_ngrams(words, self.config.n)
        wholes, counts = hash_texts(words, len(texts))
        rows = np.flatnonzero(whole & (counts > 0))
        self._ngrams.append(ngrams)
        self._texts.append(words.texts[first] + self.num_texts)
        self._wholes.append(wholes[rows])
        self._whole_texts.append(rows + self.num_texts)
        self._bits.append(bits)
        self._names.append(names)
        self.num_texts += len(texts)

    def to_leakage(self) -> "Leakage":
        """The index for the comparison, after all texts have been added."""
        bits = np.concatenate(self._bits)
        return Leakage(
            self.config,
            to_index(self._ngrams, self._texts, bits),
            to_index(self._wholes, self._whole_texts, bits),
            pl.concat(self._names),
        )


class Leakage:
    """Compares train with held-out texts, in two passes over train in the same order.

    `known` are n-grams of the held-out texts, `same` hashes of those that are compared
    as a whole, and `names` of all of them. Shape [texts].
    """

    def __init__(
        self, config: LeakageConfig, known: Index, same: Index, names: pl.Series
    ) -> None:
        self.config = config
        self._known, self._same, self._names = known, same, names
        self._near: list[npt.NDArray[np.bool_]] = []
        self._has_hit = np.zeros(0, np.bool_)
        self._at = self.num_leaked = 0
        self.worst: list[LeakedPair] = []

    def observe(self, table: pa.Table) -> None:
        """The first pass: counts the groups of n-grams, and marks rows with a hit."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # NumPy releases the GIL
            for near, keys, bits in pool.map(self._find_hits, slices(to_frame(table))):
                self._known.add(keys, bits)
                self._near.append(near)

    def _find_hits(
        self, rows: pl.DataFrame
    ) -> tuple[npt.NDArray[np.bool_], Ints, Hashes]:
        """Rows with a hit, the held-out n-grams found, and the bits of their groups."""
        words, whole = hash_rows(rows)
        ngrams, first = to_ngrams(words, self.config.n)
        at, keys = self._known.find(ngrams)
        row = words.texts[first[at]] % rows.height
        near = np.zeros(rows.height, np.bool_)
        near[row] = near[self._same.find(whole)[0]] = True
        return near, keys, group_bits(rows["group"])[row]

    def find(self, table: pa.Table) -> dict[int, LeakedPair]:
        """The second pass: the rows that leak, by number."""
        if self._near:
            self._has_hit = np.concatenate(self._near)
            self._near = []
            self._known.weigh(self.config.max_common, len(self._names))
        near = self._has_hit[self._at : self._at + table.num_rows]
        self._at += table.num_rows
        found: dict[int, LeakedPair] = {}
        places, at = np.flatnonzero(near), 0
        if len(places):
            for rows in slices(to_frame(table.take(pa.array(places)))):
                for row, pair in self._compare(rows):
                    found[int(places[at + row])] = pair
                at += rows.height
        self.num_leaked += len(found)
        ranked = sorted([*self.worst, *found.values()], key=lambda one: -one.overlap)
        self.worst = ranked[: self.config.num_shown]
        return found

    def _compare(self, rows: pl.DataFrame) -> Iterator[tuple[int, LeakedPair]]:
        words, wholes = hash_rows(rows)
        ngrams, first = to_ngrams(words, self.config.n)
        at, keys = self._known.find(ngrams)
        places = first[at]
        row = words.texts[places] % rows.height
        found = best_pairs(self._known, row, keys, self.config.threshold)
        for same, key in zip(*self._same.find(wholes), strict=True):
            found[int(same)] = (int(self._same.texts_of(key)[0]), 1.0)
        for number, (text, overlap) in sorted(found.items()):
            mine = row == number
            shared = self._spell(words, places[mine], keys[mine], text)
            if not shared:
                shared = first_side(sides(rows[number]))[0]
            yield number, LeakedPair(
                rows["where"][number],
                rows["id"][number],
                self._names[text],
                overlap,
                shorten(shared, SHOWN),
            )

    def _spell(self, words: WordIndex, places: Ints, keys: Ints, text: int) -> str:
        """The longest run of words that a row shares with a held-out text."""
        theirs = np.array([text in self._known.texts_of(key) for key in keys], np.bool_)
        places = np.sort(places[theirs])
        if places.size == 0:
            return ""
        runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
        longest = max(runs, key=len)
        return words.spell(int(longest[0]), len(longest) - 1 + self.config.n)

    def to_report(self) -> dict[str, object]:
        """Settings, counts, and the pairs with the largest overlap."""
        return {
            **self.config.model_dump(mode="json"),
            "num_held_out_texts": len(self._names),
            "num_ngrams": len(self._known.keys),
            "num_common_ngrams": self._known.num_common,
            "num_leaked": self.num_leaked,
            "pairs": [pair._asdict() for pair in self.worst],
        }

    def enforce(self) -> None:
        """Raises: DataError, with pairs, if the policy is fail and too many leak."""
        config = self.config
        if config.policy != "fail" or self.num_leaked <= config.max_leaked:
            return
        named = "".join(
            f"\n  - {p.where} (id {p.id}): {p.overlap:.2f} of {p.held_out}: {p.shared}"
            for p in self.worst
        )
        raise DataError(
            "leakage",
            f"{self.num_leaked} train rows overlap held-out data{named}",
            expected=f"at most {config.max_leaked} (split.leakage.max_leaked)",
            fix="set split.leakage.policy: drop, or give similar examples one group",
        )
