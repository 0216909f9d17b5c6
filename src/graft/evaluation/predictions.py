"""The table of predictions that stage evaluate leaves."""

from dataclasses import MISSING, fields
from pathlib import Path

from graft.errors import DataError
from graft.evaluation.scoring import Prediction
from graft.io import read_table

FIX = "make them again: dvc repro -f evaluate, or fetch them: dvc pull predictions"


def read_predictions(folder: Path) -> list[Prediction]:
    """Read what both models say to the test examples, in their order.

    Raises: DataError if the table is missing or empty, lacks a column, or has an id
        twice.
    """
    table = read_table(folder)
    needed = [field.name for field in fields(Prediction) if field.default is MISSING]
    if missing := [name for name in needed if name not in table.column_names]:
        raise DataError(
            str(folder),
            f"no column {', '.join(missing)}",
            expected="a table of predictions by stage evaluate",
            fix=FIX,
        )
    known = [f.name for f in fields(Prediction) if f.name in table.column_names]
    rows = [Prediction(**row) for row in table.select(known).to_pylist()]
    if not rows:
        raise DataError(
            str(folder), "holds no prediction", expected="at least one", fix=FIX
        )
    if len({row.id for row in rows}) < len(rows):
        raise DataError(
            str(folder),
            "two predictions have the same id",
            expected="ids that tell the examples apart",
            fix=FIX,
        )
    return rows
