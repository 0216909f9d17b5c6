"""The contract, applied to a stream of examples, and what they look like."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import polars as pl
import pyarrow as pa

from graft.config import ValidateConfig
from graft.data.checks import CHECKS, with_turns
from graft.data.columns import to_frame
from graft.data.distributions import balance, describe
from graft.data.turns import sides, unfold
from graft.errors import DataError
from graft.records import SPLITS, shorten

_ROW = pl.Schema(
    {
        "id": pl.UInt64(),
        "prompt": pl.UInt64(),
        "split": pl.Categorical(),
        "user": pl.UInt32(),
        "assistant": pl.UInt32(),
    }
)
_STRATUM = pl.Schema({"stratum": pl.String(), "count": pl.Int64()})


class Audit:
    """Sees each batch once; keeps 30 bytes of each example and no text."""

    def __init__(self, config: ValidateConfig) -> None:
        self._config = config
        self._errors: Counter[str] = Counter()
        self._faults: list[dict[str, str]] = []
        self._rows = [pl.DataFrame(schema=_ROW)]
        self._strata = [pl.DataFrame(schema=_STRATUM)]

    def add(self, table: pa.Table) -> None:
        """Check a batch, and count it."""
        batch = with_turns(to_frame(table))
        self._check(batch)
        said = sides(unfold(batch))
        asked = pl.when(said["prompt"] != "").then(said["prompt"])
        self._rows.append(
            said.select(
                batch["id"].hash().alias("id"),
                asked.otherwise(said["whole"]).hash().alias("prompt"),
                batch["split"],
                pl.col("user", "assistant").str.len_chars(),
            ).cast(_ROW)
        )
        counted = batch.group_by("stratum").agg(count=pl.len())
        self._strata.append(counted.cast(_STRATUM))

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
        rows = pl.concat(self._rows).with_row_index("row")
        repeated = rows.filter(~pl.col("id").is_first_distinct())["row"]
        leaked = _leaked(rows)
        if len(repeated):
            self._errors["repeated id"] = len(repeated)
        shown = self._config.num_shown
        few = {"repeated id": repeated.head(shown), "leaked": leaked.head(shown)}
        named = _name(few, names)
        counts = rows.group_by("split").len()
        by_split = dict(counts.cast({"split": pl.String}).iter_rows())
        budget = self._config
        return {
            "passed": rows.height >= budget.min_examples
            and self._errors.total() <= budget.max_errors
            and len(leaked) <= budget.max_leaked,
            "num_examples": rows.height,
            "num_errors": self._errors.total(),
            "num_leaked": len(leaked),
            "budget": budget.model_dump(),
            "errors": dict(self._errors),
            "faults": [*self._faults, *named["repeated id"]],
            "leaked": named["leaked"],
            "splits": {name: by_split.get(name, 0) for name in SPLITS}
            | {"none": by_split.get(None, 0)},
            "user_chars": describe(rows["user"]),
            "assistant_chars": describe(rows["assistant"]),
            **balance(pl.concat(self._strata).group_by("stratum").sum()),
        }


def _leaked(rows: pl.DataFrame) -> pl.Series:
    """Rows of train whose prompt stands in an official validation or test set."""
    split = pl.col("split").cast(pl.String)
    held = rows.filter(split.is_in(["validation", "test"]))["prompt"]
    return rows.filter((split == "train") & pl.col("prompt").is_in(held.implode()))[
        "row"
    ]


def _name(
    chosen: dict[str, pl.Series], names: Iterable[pa.Table]
) -> dict[str, list[dict[str, str]]]:
    """Id and place of chosen rows; reads no more tables than these need."""
    left = {int(row): kind for kind, rows in chosen.items() for row in rows}
    found: dict[str, list[dict[str, str]]] = {kind: [] for kind in chosen}
    at = 0
    tables = iter(names)
    while left:
        table = next(tables)
        for row in [row for row in left if row < at + table.num_rows]:
            line = table.slice(row - at, 1).to_pylist()[0]
            kind = left.pop(row)
            found[kind].append(
                {"check": kind, "id": line["id"], "where": line["where"]}
            )
        at += table.num_rows
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
