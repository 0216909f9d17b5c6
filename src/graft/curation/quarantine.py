"""Selection of rejects, and the decision which of them can be re-admitted."""

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
    """A selection of rejects; an empty attribute matches all of them.

    Attributes:
        reasons: reasons of the rejects.
        places: places, each a file:row, a file, a folder, or a pattern with * or ?.
        text: text that their rows contain.
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
        """The rejects that match, from their columns reason and where, and to select
        by text also stage, value and row."""
        if self.reasons:
            frame = frame.filter(pl.col("reason").is_in(self.reasons))
        if self.places:
            frame = frame.filter(pl.any_horizontal(map(_is_at, self.places)))
        return _containing(frame, self.text) if self.text else frame


class Admission:
    """Divides rejects into examples that can be re-admitted, and others.

    An example can be re-admitted if a rule of `preprocess` dropped it and it is not a
    duplicate; an example with personal data only if the selection names this reason.

    Attributes:
        examples: the rejects that can be re-admitted, by id.
    """

    def __init__(self, selection: Filter) -> None:
        excluded = [DUPLICATE.reason]
        if PERSONAL.reason not in selection.reasons:
            excluded.append(PERSONAL.reason)
        is_rule = pl.col("stage") == "preprocess"
        self._is_admissible = is_rule & ~pl.col("reason").is_in(excluded)
        self._admissible: Counter[str] = Counter()
        self._inadmissible: Counter[tuple[str, ...]] = Counter()
        self.examples: dict[str, dict[str, str]] = {}

    def add(self, frame: pl.DataFrame) -> None:
        """Add rejects, with columns id, where, stage, reason and fix."""
        for reject in frame.filter(self._is_admissible).iter_rows(named=True):
            self._admissible[reject["reason"]] += 1
            self.examples.setdefault(reject["id"], reject)
        others = frame.filter(~self._is_admissible).select("stage", "reason", "fix")
        self._inadmissible.update(others.iter_rows())

    def enforce(self, where: str) -> None:
        """Raises: DataError, at the folder `where`, with a fix for each reason for
        which a reject cannot be re-admitted."""
        if not self._inadmissible:
            return
        reasons = ""
        for (stage, reason, fix), number in self._inadmissible.items():
            if stage == "convert":
                fix = "not an example; write it with --rows, and correct its source"
            elif reason == PERSONAL.reason:
                fix = f"to train on personal data, add --reason {reason!r}"
            reasons += f"\n  - {stage}: {reason}: {number:,}\n      fix: {fix}"
        fix = "apply the fixes above, then: dvc repro"
        if self._admissible:
            options = " ".join(map(repr, self._admissible))
            number = self._admissible.total()
            fix = f"re-admit only the other {number:,} with --stage preprocess "
            fix += f"--reason {options}"
        number = self._inadmissible.total()
        raise DataError(
            where,
            f"{number:,} of the selected rejects cannot be re-admitted, so none was"
            f"{reasons}",
            expected="examples that a rule of preprocess dropped",
            fix=fix,
        )


def decode(row: str) -> Any:
    """The row of a reject, parsed from JSON; any other text unchanged."""
    try:
        return json.loads(row)
    except ValueError:
        return row


def _is_at(place: str) -> pl.Expr:
    """Whether a reject comes from a place."""
    where, folder = pl.col("where"), place.rstrip("/")
    inside = where.str.starts_with(folder + ":") | where.str.starts_with(folder + "/")
    pattern = pl.escape_regex(place).replace(r"\*", ".*").replace(r"\?", ".")
    return (where == place) | inside | where.str.contains(f"(?s)^{pattern}$")


def _containing(frame: pl.DataFrame, text: str) -> pl.DataFrame:
    """The rejects whose row contains a text in its values; column names do not count.

    The JSON text is searched first, which is fast; only its matches are parsed.
    """
    escaped = [json.dumps(text, ensure_ascii=flag)[1:-1] for flag in (False, True)]
    row = pl.when(pl.col("row") == "").then("value").otherwise("row")
    matches = [row.str.contains(form, literal=True) for form in {text, *escaped}]
    candidates = frame.filter(pl.any_horizontal(matches))
    contains = [
        any(text in value for value in _texts(reject))
        for reject in candidates.iter_rows(named=True)
    ]
    return candidates.filter(pl.Series(contains, dtype=pl.Boolean))


def _texts(reject: Mapping[str, str]) -> Iterator[str]:
    """All texts of a row; for an example, of its messages and references."""
    row = decode(reject["row"] or reject["value"])
    if reject["stage"] != "convert" and isinstance(row, dict):
        row = [[turn["content"] for turn in row["messages"]], row["references"]]
    waiting = [row]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        elif value is not None:
            yield json.dumps(value)
