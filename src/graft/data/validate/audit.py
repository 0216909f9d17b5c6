"""The data contract, checked on a stream of examples, and their distributions."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from graft.config import ValidateConfig
from graft.data.columns import numbered, to_frame
from graft.data.ordered import are_new
from graft.data.turns import prompt_or_whole, sides, unfold
from graft.data.validate.checks import CHECKS, with_turns
from graft.data.validate.distributions import Lengths, balance
from graft.data.validate.placeholders import find_placeholders
from graft.errors import DataError
from graft.records import SPLITS, shorten


class Audit:
    """Checks and counts examples in one pass; holds 8 bytes per example, to find
    repeated ids. `held_out`: hashes, of `held_out_prompts`."""

    def __init__(self, config: ValidateConfig, held_out: pl.Series) -> None:
        self._config, self._held_out = config, held_out
        self._errors: Counter[str] = Counter()
        self._shown: list[dict[str, str]] = []
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
        self._find_placeholders(batch, turns)
        both = sides(turns)
        for side, lengths in self._lengths.items():
            lengths.add(both[side].str.len_chars())
        self._ids.append(batch["id"].hash().to_numpy())
        self._strata.update(dict(batch["stratum"].value_counts().iter_rows()))
        self._splits.update(dict(batch["split"].value_counts().iter_rows()))
        if len(self._held_out):
            prompt = _prompts(both).is_in(self._held_out.implode())
            leaked = batch.filter((batch["split"] == "train") & prompt)
            self._num_leaked += leaked.height
            missing = self._config.num_shown - len(self._leaked)
            self._leaked += _named("leaked", leaked.head(missing))

    def _check(self, batch: pl.DataFrame) -> None:
        for check in CHECKS:
            broken = batch.filter(check.broken)
            if broken.height:
                missing = self._config.num_shown - self._errors[check.name]
                self._errors[check.name] += broken.height
                shown = broken.head(max(missing, 0))
                for line in shown.select("id", "where", value=check.value).to_dicts():
                    value = shorten(line["value"])
                    expected = {"check": check.name, "expected": check.expected}
                    self._shown.append({**line, "value": value, **expected})

    def _find_placeholders(self, batch: pl.DataFrame, turns: pl.DataFrame) -> None:
        found = find_placeholders(turns)
        self._num_places += found.height
        missing = max(self._config.num_shown - len(self._places), 0)
        for row, place in found.head(missing).iter_rows():
            line = batch.row(row, named=True)
            named = {"id": line["id"], "where": line["where"], "place": place}
            self._places.append(named)

    def to_report(self, names: Iterable[pa.Table]) -> dict[str, Any]:
        """Whether the data passed, errors with examples, and distributions.

        `names`: the same examples again, columns id and where; read only to name those
        with repeated ids.
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
            "error_examples": [*self._shown, *shown],
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
    """Distinct 64-bit hashes of the prompts of official validation and test examples,
    from the columns messages and split. Shape [prompts]."""
    found = [pl.Series("prompt", dtype=pl.UInt64)]
    for table in tables:
        batch = to_frame(table)
        held = batch.filter(pl.col("split").is_in(["validation", "test"]))
        if held.height:
            found.append(_prompts(sides(unfold(held))))
    return pl.concat(found).unique()


def _prompts(both: pl.DataFrame) -> pl.Series:
    """A hash of each prompt, or of the whole text if there is no prompt."""
    return both.select(prompt=prompt_or_whole().hash()).to_series()


def _repeated(ids: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Indices of the ids that also occur at an earlier index."""
    ordered = np.sort(ids)
    places = np.flatnonzero(np.isin(ids, ordered[~are_new(ordered)]))
    _, first = np.unique(ids[places], return_index=True)
    return np.asarray(np.delete(places, first), np.int64)


def _named(check: str, examples: pl.DataFrame) -> list[dict[str, str]]:
    lines = examples.select("id", "where").to_dicts()
    return [{"check": check, **line} for line in lines]


def _at(
    places: npt.NDArray[np.int64], names: Iterable[pa.Table]
) -> list[dict[str, str]]:
    """Id and `file:row` of the examples at these indices; reads only as far as
    needed."""
    found: list[dict[str, str]] = []
    tables = numbered(names)
    while len(found) < len(places):
        at, table = next(tables)
        mine = places[(places >= at) & (places < at + table.num_rows)]
        found += _named("repeated id", to_frame(table)[mine - at])
    return found


def enforce(report: dict[str, Any], page: str) -> None:
    """Raises: DataError, naming examples, if the data did not pass."""
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
            f"{report['num_errors']} examples violate the contract "
            f"(validate.max_errors {budget['max_errors']})"
        )
        problems += [_line(error) for error in report["error_examples"]]
    if report["num_leaked"] > budget["max_leaked"]:
        problems.append(
            f"{report['num_leaked']} train prompts are also in validation or test "
            f"(validate.max_leaked {budget['max_leaked']})"
        )
        problems += [_line(error) for error in report["leaked"]]
    raise DataError(
        "data contract",
        "violated" + "".join(f"\n  {problem}" for problem in problems),
        expected="at most as many violations as the section validate allows",
        fix=f"read {page}; fix the data or the section preprocess, or allow more",
    )


def _line(error: dict[str, str]) -> str:
    why = f" {error['value']!r}, not {error['expected']}" if "value" in error else ""
    return f"  - {error['where']} (id {error['id']}): {error['check']}{why}"
