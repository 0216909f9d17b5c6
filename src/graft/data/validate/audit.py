"""The contract, applied to a stream of examples, and what they look like."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from graft.config import ValidateConfig
from graft.data.columns import to_frame
from graft.data.ordered import distinct
from graft.data.turns import sides, unfold
from graft.data.validate.checks import CHECKS, with_turns
from graft.data.validate.distributions import Lengths, balance
from graft.data.validate.placeholders import find_places
from graft.errors import DataError
from graft.records import SPLITS, shorten


class Audit:
    """Sees each batch once; keeps 8 bytes of each example, to tell repeated ids.

    Args:
        config: the budget.
        held_out: of `held_out_prompts`.
    """

    def __init__(self, config: ValidateConfig, held_out: pl.Series) -> None:
        self._config, self._held_out = config, held_out
        self._errors: Counter[str] = Counter()
        self._faults: list[dict[str, str]] = []
        self._ids = [np.zeros(0, np.uint64)]
        self._strata: Counter[str] = Counter()
        self._splits: Counter[str | None] = Counter()
        self._lengths = {"user": Lengths(), "assistant": Lengths()}
        self._leaked: list[dict[str, str]] = []
        self._num_leaked = 0
        self._places: list[dict[str, str]] = []
        self._num_places = 0

    def add(self, table: pa.Table) -> None:
        """Check a batch, and count it."""
        frame = to_frame(table)
        turns = unfold(frame)
        batch = with_turns(frame, turns)
        self._check(batch)
        self._see_places(batch, turns)
        said = sides(turns)
        for side, lengths in self._lengths.items():
            lengths.add(said[side].str.len_chars())
        self._ids.append(batch["id"].hash().to_numpy())
        self._strata.update(dict(batch["stratum"].value_counts().iter_rows()))
        self._splits.update(dict(batch["split"].value_counts().iter_rows()))
        if len(self._held_out):
            prompt = _prompts(said).is_in(self._held_out.implode())
            leaked = batch.filter((batch["split"] == "train") & prompt)
            self._num_leaked += leaked.height
            missing = self._config.num_shown - len(self._leaked)
            self._leaked += _named("leaked", leaked.head(missing))

    def _check(self, batch: pl.DataFrame) -> None:
        for check in CHECKS:
            broken = batch.filter(check.broken)
            if broken.height:
                self._errors[check.name] += broken.height
                shown = broken.head(self._missing(check.name))
                for line in shown.select("id", "where", value=check.value).to_dicts():
                    value = shorten(line["value"])
                    expected = {"check": check.name, "expected": check.expected}
                    self._faults.append({**line, "value": value, **expected})

    def _see_places(self, batch: pl.DataFrame, turns: pl.DataFrame) -> None:
        found = find_places(turns)
        self._num_places += found.height
        missing = max(self._config.num_shown - len(self._places), 0)
        for row, place in found.head(missing).iter_rows():
            line = batch.row(row, named=True)
            named = {"id": line["id"], "where": line["where"], "place": place}
            self._places.append(named)

    def _missing(self, check: str) -> int:
        """How many faults of a check may still be named."""
        named = sum(fault["check"] == check for fault in self._faults)
        return self._config.num_shown - named

    def to_report(self, names: Iterable[pa.Table]) -> dict[str, Any]:
        """The verdict and the distributions.

        Args:
            names: the same examples again, columns id and where; read only if an
                example must be named that looked right alone.
        """
        ids = np.concatenate(self._ids)
        repeated = _repeated(ids)
        if len(repeated):
            self._errors["repeated id"] = len(repeated)
        budget = self._config
        shown = _at(repeated[: budget.num_shown], names)
        return {
            "passed": len(ids) >= budget.min_examples
            and self._errors.total() <= budget.max_errors
            and self._num_leaked <= budget.max_leaked,
            "num_examples": len(ids),
            "num_errors": self._errors.total(),
            "num_leaked": self._num_leaked,
            "budget": budget.model_dump(),
            "errors": dict(self._errors),
            "faults": [*self._faults, *shown],
            "leaked": self._leaked,
            "num_unfilled": self._num_places,
            "unfilled": self._places,
            "splits": {name: self._splits[name] for name in SPLITS}
            | {"none": self._splits[None]},
            "user_chars": self._lengths["user"].to_report(),
            "assistant_chars": self._lengths["assistant"].to_report(),
            **balance(self._strata),
        }


def held_out_prompts(tables: Iterable[pa.Table]) -> pl.Series:
    """Hashes of the prompts of official validation and test examples, each once: 8
    bytes of each. Of tables with the columns messages and split."""
    found = [pl.Series("prompt", dtype=pl.UInt64)]
    for table in tables:
        batch = to_frame(table)
        held = batch.filter(pl.col("split").is_in(["validation", "test"]))
        if held.height:
            found.append(_prompts(sides(unfold(held))).alias("prompt"))
    return pl.concat(found).unique()


def _prompts(said: pl.DataFrame) -> pl.Series:
    """A hash of what is asked, or of the text that nobody asked for."""
    asked = pl.when(pl.col("prompt") != "").then("prompt").otherwise("whole")
    return said.select(asked.hash()).to_series()


def _repeated(ids: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Places of the ids that stand at an earlier place too."""
    ordered = np.sort(ids)
    twice = distinct(ordered[1:][ordered[1:] == ordered[:-1]])
    places = np.flatnonzero(np.isin(ids, twice)) if len(twice) else np.zeros(0, int)
    _, first = np.unique(ids[places], return_index=True)
    return np.asarray(np.delete(places, first), np.int64)


def _named(check: str, examples: pl.DataFrame) -> list[dict[str, str]]:
    lines = examples.select("id", "where").to_dicts()
    return [{"check": check, **line} for line in lines]


def _at(
    places: npt.NDArray[np.int64], names: Iterable[pa.Table]
) -> list[dict[str, str]]:
    """Id and place of the examples there; reads no more tables than these need."""
    found: list[dict[str, str]] = []
    at, tables = 0, iter(names)
    while len(found) < len(places):
        batch = to_frame(next(tables))
        mine = places[(places >= at) & (places < at + batch.height)]
        found += _named("repeated id", batch[mine - at])
        at += batch.height
    return found


def enforce(report: dict[str, Any], page: str) -> None:
    """Raises: DataError if the report did not pass, naming examples."""
    if report["passed"]:
        return
    budget, problems = report["budget"], []
    if report["num_examples"] < budget["min_examples"]:
        problems.append(
            f"{report['num_examples']} examples are too few "
            f"(validate.min_examples {budget['min_examples']})"
        )
    if report["num_errors"] > budget["max_errors"]:
        problems.append(
            f"{report['num_errors']} examples break the contract "
            f"(validate.max_errors {budget['max_errors']})"
        )
        problems += [_line(fault) for fault in report["faults"]]
    if report["num_leaked"] > budget["max_leaked"]:
        problems.append(
            f"{report['num_leaked']} train prompts stand in validation or test too "
            f"(validate.max_leaked {budget['max_leaked']})"
        )
        problems += [_line(fault) for fault in report["leaked"]]
    raise DataError(
        "data contract",
        "not kept" + "".join(f"\n  {problem}" for problem in problems),
        expected="the contract kept, within the budget of the section validate",
        fix=f"read {page}; mend the data or the preprocess section, or allow more",
    )


def _line(fault: dict[str, str]) -> str:
    why = f" {fault['value']!r}, not {fault['expected']}" if "value" in fault else ""
    return f"  - {fault['where']} (id {fault['id']}): {fault['check']}{why}"
