"""What of train is too like what is held out: shared n-grams of words.

A held-out text is a side of an example (all that the user says; all that the assistant
says) or a text of a benchmark's row. A train row's overlap with it is the share of the
text's n-grams that stand in the row, on whichever side. Three rules keep that fair:
- An n-gram of more than `max_common` groups (train and held out together) is a frame, a
  formula or a template, and does not count; GPT-3 sets 10 (Brown et al. 2020,
  arXiv:2005.14165, appendix C). Groups, not rows: ten answers to one leaked question
  make it no less leaked. They are estimated by linear counting in 64 bits (Whang et
  al. 1990), exact to about one of ten.
- A prompt that is the same word for word as a whole leaks, short or common. This is
  all that tells texts of fewer than n words apart. Short answers tell nothing.
- Numbers are words like others: the same sum with other numbers is another sum.

Memory: about 40 bytes an n-gram of what is held out (twice that while the index is
built), the places of held-out examples, one byte a row of train, and none of its text.
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
from graft.data.split.ngrams import Hashes, Ints, Words, to_ngrams, to_wholes, to_words
from graft.data.split.overlaps import Index, best_pairs, to_index
from graft.data.split.texts import first_said, group_bits, read, sides, slices
from graft.errors import DataError
from graft.records import Reject, shorten

FEWEST_WORDS = 4
"""Of a benchmark's text that is compared as a whole: an answer `yes` is no evidence."""
SHOWN = 200


class Pair(NamedTuple):
    """A train row and the held-out text most like it."""

    where: str
    id: str
    held_out: str
    overlap: float
    shared: str

    def to_reject(self, threshold: float) -> Reject:
        """The row, put aside."""
        return Reject(
            where=self.where,
            stage="split",
            reason="leaks what is held out",
            value=f"{self.overlap:.2f} of {self.held_out}: {self.shared}",
            expected=f"under {threshold:g} of the n-grams of any held-out text",
            fix="leave it out, give both one group, or change split.leakage",
        )


class HeldOut:
    """Collects what is held out."""

    def __init__(self, config: LeakageConfig) -> None:
        self.config = config
        self._texts = [np.zeros(0, np.int64)]
        self._ngrams = [np.zeros(0, np.uint64)]
        self._wholes = [np.zeros(0, np.uint64)]
        self._whole_texts = [np.zeros(0, np.int64)]
        self._bits = [np.zeros(0, np.uint64)]
        self._names = [pl.Series([], dtype=pl.String)]
        self.num_texts = 0

    def hold(self, table: pa.Table) -> None:
        """Take held-out examples: columns id, where, group, messages."""
        for rows in slices(to_frame(table)):
            names = rows["where"] + " (id " + rows["id"] + ")"
            said, bits = sides(rows), group_bits(rows["group"])
            asked = (said["prompt"] != "").to_numpy()
            self._hold(first_said(said), names, bits, np.ones(rows.height, np.bool_))
            if self.config.answers and asked.any():
                answers = said["answer"].filter(asked)
                none = np.zeros(len(answers), np.bool_)
                self._hold(answers, names.filter(asked), bits[asked], none)

    def hold_texts(self, where: Sequence[str], texts: Sequence[str]) -> None:
        """Take texts of benchmarks. Both of shape [texts]."""
        places, said = pl.Series(where, dtype=pl.String), pl.Series(
            texts, dtype=pl.String
        )
        counts = to_wholes(to_words(said), len(said))[1]
        self._hold(said, places, group_bits(places), counts >= FEWEST_WORDS)

    def _hold(
        self,
        texts: pl.Series,
        names: pl.Series,
        bits: Hashes,
        whole: npt.NDArray[np.bool_],
    ) -> None:
        words = to_words(texts)
        ngrams, first = to_ngrams(words, self.config.n)
        wholes, counts = to_wholes(words, len(texts))
        rows = np.flatnonzero(whole & (counts > 0))
        self._ngrams.append(ngrams)
        self._texts.append(words.texts[first] + self.num_texts)
        self._wholes.append(wholes[rows])
        self._whole_texts.append(rows + self.num_texts)
        self._bits.append(bits)
        self._names.append(names)
        self.num_texts += len(texts)

    def to_leakage(self) -> "Leakage":
        """All has been given."""
        bits = np.concatenate(self._bits)
        return Leakage(
            self.config,
            to_index(self._ngrams, self._texts, bits),
            to_index(self._wholes, self._whole_texts, bits),
            pl.concat(self._names),
        )


class Leakage:
    """Sees train twice, in one order.

    Args:
        known: n-grams of what is held out.
        same: the hashes of its texts that are compared as a whole.
        names: of the texts. Shape [texts].
    """

    def __init__(
        self, config: LeakageConfig, known: Index, same: Index, names: pl.Series
    ) -> None:
        self.config = config
        self._known, self._same, self._names = known, same, names
        self._near: list[npt.NDArray[np.bool_]] = []
        self._second_look = np.zeros(0, np.bool_)
        self._at = self.num_leaked = 0
        self.worst: list[Pair] = []

    def see(self, table: pa.Table) -> None:
        """The first pass: which n-grams are common, which rows need a second look."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # numpy lets go of the lock
            for near, keys, bits in pool.map(self._look, slices(to_frame(table))):
                self._known.add(keys, bits)
                self._near.append(near)

    def _look(self, rows: pl.DataFrame) -> tuple[npt.NDArray[np.bool_], Ints, Hashes]:
        """Rows with a hit, the known n-grams that were hit, and the groups' bits."""
        words, whole = read(rows)
        ngrams, first = to_ngrams(words, self.config.n)
        at, keys = self._known.find(ngrams)
        row = words.texts[first[at]] % rows.height
        near = np.zeros(rows.height, np.bool_)
        near[row] = True
        near[self._same.find(whole)[0]] = True
        return near, keys, group_bits(rows["group"])[row]

    def find(self, table: pa.Table) -> dict[int, Pair]:
        """The second pass: the rows that leak, by number."""
        if self._near:
            self._second_look = np.concatenate(self._near)
            self._near = []
            self._known.weigh(self.config.max_common, len(self._names))
        near = self._second_look[self._at : self._at + table.num_rows]
        self._at += table.num_rows
        found: dict[int, Pair] = {}
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

    def _compare(self, rows: pl.DataFrame) -> Iterator[tuple[int, Pair]]:
        words, wholes = read(rows)
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
                shared = first_said(sides(rows[number]))[0]
            yield number, Pair(
                rows["where"][number],
                rows["id"][number],
                self._names[text],
                overlap,
                shorten(shared, SHOWN),
            )

    def _spell(self, words: Words, places: Ints, keys: Ints, text: int) -> str:
        """The longest run of words that a row shares with a held-out text."""
        theirs = np.array([text in self._known.texts_of(key) for key in keys], np.bool_)
        places = np.sort(places[theirs])
        if places.size == 0:
            return ""
        runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
        longest = max(runs, key=len)
        return words.spell(int(longest[0]), len(longest) - 1 + self.config.n)

    def to_report(self) -> dict[str, object]:
        """What was compared, and the worst pairs."""
        return {
            **self.config.model_dump(mode="json"),
            "num_held_out_texts": len(self._names),
            "num_ngrams": len(self._known.keys),
            "num_common_ngrams": self._known.num_common,
            "num_leaked": self.num_leaked,
            "pairs": [pair._asdict() for pair in self.worst],
        }

    def enforce(self) -> None:
        """Raises: DataError if policy is fail and more leak than may, naming pairs."""
        config = self.config
        if config.policy != "fail" or self.num_leaked <= config.max_leaked:
            return
        named = "".join(
            f"\n  - {p.where} (id {p.id}): {p.overlap:.2f} of {p.held_out}: {p.shared}"
            for p in self.worst
        )
        raise DataError(
            "leakage",
            f"{self.num_leaked} train rows leak what is held out{named}",
            expected=f"at most {config.max_leaked} (split.leakage.max_leaked)",
            fix="set split.leakage.policy: drop, or give like examples one group",
        )
