"""Which rejects are meant, and which of them can be kept all the same."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from graft.data.preprocess.cleaning import PERSONAL
from graft.data.preprocess.partition import DUPLICATE
from graft.errors import DataError


@dataclass(frozen=True)
class Filter:
    """Which rejects are meant; an empty part asks nothing.

    A place is a file:row, a file, a folder, or a pattern with * or ?.
    """

    reasons: list[str]
    places: list[str]
    text: str | None = None

    def __bool__(self) -> bool:
        return bool(self.reasons or self.places or self.text)

    def __str__(self) -> str:
        texts = [self.text] if self.text else []
        parts = {"reason": self.reasons, "where": self.places, "contains": texts}
        return " ".join(
            f"--{name} {' '.join(map(repr, values))}"
            for name, values in parts.items()
            if values
        )

    def select(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The lines that are meant.

        Args:
            frame: with columns reason and where; for a text stage, value and row too.
        """
        if self.reasons:
            frame = frame.filter(pl.col("reason").is_in(self.reasons))
        if self.places:
            frame = frame.filter(pl.any_horizontal(map(_stands_at, self.places)))
        return _saying(frame, self.text) if self.text else frame


class Admission:
    """Sorts rejects into examples to keep all the same, by id, and what cannot be.

    What a rule of `preprocess` dropped can; with its personal data only if the filter
    names that reason.
    """

    def __init__(self, chosen: Filter) -> None:
        unable = [DUPLICATE.reason]
        if PERSONAL.reason not in chosen.reasons:
            unable.append(PERSONAL.reason)
        by_rule = pl.col("stage") == "preprocess"
        self._fits = by_rule & ~pl.col("reason").is_in(unable)
        self._fit: Counter[str] = Counter()
        self._unfit: Counter[tuple[str, ...]] = Counter()
        self.examples: dict[str, dict[str, str]] = {}

    def add(self, frame: pl.DataFrame) -> None:
        """More rejects; columns id, where, stage, reason and fix."""
        for line in frame.filter(self._fits).iter_rows(named=True):
            self._fit[line["reason"]] += 1
            self.examples.setdefault(line["id"], line)
        others = frame.filter(~self._fits).select("stage", "reason", "fix")
        self._unfit.update(others.iter_rows())

    def enforce(self, where: str) -> None:
        """Raises: DataError if one cannot be kept, with what to do for each reason."""
        if not self._unfit:
            return
        told = ""
        for (stage, reason, fix), number in self._unfit.items():
            if stage == "convert":
                fix = "it is no example: write it with --rows, mend it in its source"
            elif reason == PERSONAL.reason:
                fix = f"it would be learned; if it may, name it: --reason {reason!r}"
            told += f"\n  - {stage}: {reason}: {number:,}\n      fix: {fix}"
        fix = "do as it says above, then: dvc repro"
        if self._fit:
            named = " ".join(map(repr, self._fit))
            fix = f"add --stage preprocess --reason {named}: {self._fit.total():,} can"
        raise DataError(
            where,
            f"{self._unfit.total():,} of these cannot be re-admitted; none was{told}",
            expected="what a rule of preprocess dropped",
            fix=fix,
        )


def decode(row: str) -> Any:
    """A reject's row from its JSON; a line that was none stays as it is."""
    try:
        return json.loads(row)
    except ValueError:
        return row


def _stands_at(place: str) -> pl.Expr:
    where, folder = pl.col("where"), place.rstrip("/")
    inside = where.str.starts_with(folder + ":") | where.str.starts_with(folder + "/")
    pattern = pl.escape_regex(place).replace(r"\*", ".*").replace(r"\?", ".")
    return (where == place) | inside | where.str.contains(f"(?s)^{pattern}$")


def _saying(frame: pl.DataFrame, text: str) -> pl.DataFrame:
    """The lines whose row has a text, in what it says and not in its columns' names.

    JSON is searched first, which is fast; only what is found there is taken apart.
    """
    spelt = [json.dumps(text, ensure_ascii=plain)[1:-1] for plain in (False, True)]
    row = pl.when(pl.col("row") == "").then("value").otherwise("row")
    forms = [row.str.contains(form, literal=True) for form in {text, *spelt}]
    near = frame.filter(pl.any_horizontal(forms))
    says = [
        any(text in said for said in _texts(line))
        for line in near.iter_rows(named=True)
    ]
    return near.filter(pl.Series(says, dtype=pl.Boolean))


def _texts(line: Mapping[str, str]) -> Iterator[str]:
    """All that a row says; of an example, its messages and references."""
    row = decode(line["row"] or line["value"])
    if line["stage"] != "convert" and isinstance(row, dict):
        row = [[turn["content"] for turn in row["messages"]], row["references"]]
    left = [row]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            left += value.values() if isinstance(value, dict) else value
        elif value is not None:
            yield json.dumps(value)
