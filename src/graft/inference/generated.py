"""What stage `generate` leaves for stage `evaluate`: completions and their costs."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from graft import io
from graft.errors import DataError
from graft.inference.results import Decoding, GenerationCost, Latency
from graft.records import PREDICTION_SCHEMA, Prediction

TABLE, MEASURES = "table", "generation.json"
FIX = (
    "generate them again: dvc repro -s -f generate, or fetch them: dvc pull predictions"
)


@dataclass(frozen=True)
class Generated:
    """Outputs of both models, and their costs.

    Args:
        predictions: in the order of the examples.
        adapter: digest of the weights of the adapter.
        decoding: how the completions were made.
        costs: of the completions of base and tuned model.
        latency: of single prompts, base and tuned; empty if it was not measured.
        device: the device that computed.
        memory_gib: peak memory of the device.
        rss_gib: peak host memory of the process.
        versions: of the libraries.
        prompt: the first prompt as the model reads it, control tokens by name.
        warnings: sentences on references that no completion can equal.
    """

    predictions: Sequence[Prediction]
    adapter: str
    decoding: Decoding
    costs: Mapping[str, GenerationCost]
    latency: Mapping[str, Latency]
    device: str
    memory_gib: float
    rss_gib: float
    versions: Mapping[str, str]
    prompt: str
    warnings: Sequence[str] = ()


def write_generated(folder: Path, generated: Generated) -> None:
    """Write the table of predictions, and everything else as JSON."""
    values = asdict(generated)
    rows = pa.Table.from_pylist(values.pop("predictions"), schema=PREDICTION_SCHEMA)
    with io.atomic(folder) as partial:
        partial.mkdir()
        io.write_batches(partial / TABLE, [rows], PREDICTION_SCHEMA)
        io.write_json(partial / MEASURES, values)


def read_generated(folder: Path) -> Generated:
    """Read what `write_generated` wrote. Raises: DataError if it is incomplete."""
    values: dict[str, Any] = io.read_json(folder / MEASURES)
    values["predictions"] = read_prediction_table(folder / TABLE)
    try:
        return TypeAdapter(Generated).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            str(folder / MEASURES),
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            expected="a file that this version of stage generate wrote",
            fix=FIX,
        ) from error


def read_prediction_table(folder: Path) -> list[Prediction]:
    """Read a table of predictions. Raises: DataError if it lacks a column."""
    table = io.read_table(folder)
    needed = [
        field.name
        for field in fields(Prediction)
        if field.default is MISSING and field.default_factory is MISSING
    ]
    if missing := [name for name in needed if name not in table.column_names]:
        raise DataError(
            str(folder),
            f"no column {', '.join(missing)}",
            expected="a table of predictions by stage generate",
            fix=FIX,
        )
    known = [f.name for f in fields(Prediction) if f.name in table.column_names]
    return [Prediction(**row) for row in table.select(known).to_pylist()]
