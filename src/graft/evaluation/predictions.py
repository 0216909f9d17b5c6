"""Read predictions, of stage generate or of another system."""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from graft.errors import DataError
from graft.inference.generated import FIX, read_prediction_table
from graft.io import read_json_lines
from graft.records import Prediction


@dataclass(frozen=True)
class _Line(Prediction):
    """A prediction, validated by pydantic."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")


def read_predictions(source: Path) -> list[Prediction]:
    """Read the completions of both models for the test examples, in order.

    Args:
        source: the table of stage generate, or JSON Lines from another system with
            references, base and tuned, and optionally further fields of a Prediction.
    Raises: DataError if it is missing or empty, lacks a column, or has a value of the
        wrong type or a duplicate id.
    """
    is_lines = source.suffix == ".jsonl"
    rows = _read_lines(source) if is_lines else read_prediction_table(source)
    if not rows:
        raise DataError(
            str(source), "contains no predictions", expected="at least one", fix=FIX
        )
    if len({row.id for row in rows}) < len(rows):
        raise DataError(
            str(source),
            "two predictions have the same id",
            expected="unique ids",
            fix=FIX,
        )
    return rows


def _read_lines(path: Path) -> list[Prediction]:
    adapter = TypeAdapter(_Line)
    rows = []
    for where, line in read_json_lines(path):
        try:
            values = {"id": where.rpartition(":")[2], "stratum": "all", "prompt": ""}
            complete = json.dumps(values | dict(line))
            rows.append(Prediction(**vars(adapter.validate_json(complete))))
        except (TypeError, ValueError) as error:
            raise DataError(
                where,
                f"not a prediction: {_reason(error)}",
                expected="references (a list of texts), base and tuned; optionally "
                "id, group, stratum, prompt, history (turns with role and content), "
                "base_nll, tuned_nll, num_tokens, num_bytes",
                fix="correct the line",
            ) from error
    return rows


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
