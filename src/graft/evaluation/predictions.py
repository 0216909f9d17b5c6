"""The table of predictions that stage evaluate leaves."""

import json
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from graft.errors import DataError
from graft.evaluation.scoring import Prediction
from graft.io import read_json_lines, read_table

FIX = "make them again: dvc repro -f evaluate, or fetch them: dvc pull predictions"


@dataclass(frozen=True)
class _Line(Prediction):
    """A prediction as pydantic checks it."""

    __pydantic_config__ = ConfigDict(strict=True, extra="forbid")


def read_predictions(source: Path) -> list[Prediction]:
    """Read what both models say to the test examples, in their order.

    Args:
        source: the table of stage evaluate; or JSON Lines from elsewhere, with
            references, base and tuned a line, and as much more of a Prediction as there
            is.
    Raises: DataError if it is missing or empty, lacks a column, has a value of another
        type, or an id twice.
    """
    rows = _read_lines(source) if source.suffix == ".jsonl" else _read_table(source)
    if not rows:
        raise DataError(
            str(source), "holds no prediction", expected="at least one", fix=FIX
        )
    if len({row.id for row in rows}) < len(rows):
        raise DataError(
            str(source),
            "two predictions have the same id",
            expected="ids that tell the examples apart",
            fix=FIX,
        )
    return rows


def _read_table(folder: Path) -> list[Prediction]:
    table = read_table(folder)
    needed = [
        field.name
        for field in fields(Prediction)
        if field.default is MISSING and field.default_factory is MISSING
    ]
    if missing := [name for name in needed if name not in table.column_names]:
        raise DataError(
            str(folder),
            f"no column {', '.join(missing)}",
            expected="a table of predictions by stage evaluate",
            fix=FIX,
        )
    known = [f.name for f in fields(Prediction) if f.name in table.column_names]
    return [Prediction(**row) for row in table.select(known).to_pylist()]


def _read_lines(path: Path) -> list[Prediction]:
    form = TypeAdapter(_Line)
    rows = []
    for where, line in read_json_lines(path):
        try:
            values = {"id": where.rpartition(":")[2], "stratum": "all", "prompt": ""}
            whole = json.dumps(values | dict(line))
            rows.append(Prediction(**vars(form.validate_json(whole))))
        except (TypeError, ValueError) as error:
            raise DataError(
                where,
                f"no prediction: {_reason(error)}",
                expected="references (a list of texts), base and tuned; and perhaps "
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
