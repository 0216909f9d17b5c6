"""Selection of rejects, and which of them can be re-admitted."""

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
    """A selection of rejects; an empty part matches all.

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
        """The lines that match.

        Args:
            frame: columns reason and where; for a text also stage, value and row.
        """
        if self.reasons:
            frame = frame.filter(pl.col("reason").is_in(self.reasons))
        if self.places:
            frame = frame.filter(pl.any_horizontal(map(_is_at, self.places)))
        return _containing(frame, self.text) if self.text else frame


class Admission:
    """Divides rejects into examples that can be re-admitted, by id, and others.

    Examples that a rule of `preprocess` dropped can be; those with personal data only
    if the filter names that reason.
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
        """Add rejects: columns id, where, stage, reason and fix."""
        for line in frame.filter(self._fits).iter_rows(named=True):
            self._fit[line["reason"]] += 1
            self.examples.setdefault(line["id"], line)
        others = frame.filter(~self._fits).select("stage", "reason", "fix")
        self._unfit.update(others.iter_rows())

    def enforce(self, where: str) -> None:
        """Raises: DataError, with a fix per reason, if one cannot be re-admitted."""
        if not self._unfit:
            return
        reasons = ""
        for (stage, reason, fix), number in self._unfit.items():
            if stage == "convert":
                fix = "not an example: write it out with --rows, fix it in its source"
            elif reason == PERSONAL.reason:
                fix = f"to train on personal data, add --reason {reason!r}"
            reasons += f"\n  - {stage}: {reason}: {number:,}\n      fix: {fix}"
        fix = "apply the fixes above, then: dvc repro"
        if self._fit:
            named = " ".join(map(repr, self._fit))
            fix = f"add --stage preprocess --reason {named}: {self._fit.total():,} can"
        raise DataError(
            where,
            f"cannot re-admit {self._unfit.total():,} of these; none was{reasons}",
            expected="examples that a rule of preprocess dropped",
            fix=fix,
        )


def decode(row: str) -> Any:
    """A reject's row from its JSON; other text unchanged."""
    try:
        return json.loads(row)
    except ValueError:
        return row


def _is_at(place: str) -> pl.Expr:
    where, folder = pl.col("where"), place.rstrip("/")
    inside = where.str.starts_with(folder + ":") | where.str.starts_with(folder + "/")
    pattern = pl.escape_regex(place).replace(r"\*", ".*").replace(r"\?", ".")
    return (where == place) | inside | where.str.contains(f"(?s)^{pattern}$")


def _containing(frame: pl.DataFrame, text: str) -> pl.DataFrame:
    """The lines whose row contains a text in its values, not in its column names.

    The JSON is searched first, which is fast; only matches are parsed.
    """
    spelt = [json.dumps(text, ensure_ascii=plain)[1:-1] for plain in (False, True)]
    row = pl.when(pl.col("row") == "").then("value").otherwise("row")
    forms = [row.str.contains(form, literal=True) for form in {text, *spelt}]
    near = frame.filter(pl.any_horizontal(forms))
    contains = [
        any(text in value for value in _texts(line))
        for line in near.iter_rows(named=True)
    ]
    return near.filter(pl.Series(contains, dtype=pl.Boolean))


def _texts(line: Mapping[str, str]) -> Iterator[str]:
    """All texts of a row; of an example, its messages and references."""
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
