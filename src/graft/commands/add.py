"""`graft add`: configure a user's files as data and as an experiment."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from graft import io
from graft.adding.columns import guess_fields, missing_fields, read_pairs
from graft.adding.formats import find_format
from graft.adding.place import Place, find_place, stage, take, to_name
from graft.adding.recipe import MOST_ROWS, Size, data_yaml, experiment_yaml
from graft.config import DataConfig
from graft.config.compose import CONFIGS, compose
from graft.errors import ConfigError, DataError
from graft.field_paths import ABSENT
from graft.records import Row
from graft.sources import read_row_batches
from graft.tasks import get_task

SHOWN, WIDTH = 1000, 60
FIXED = {"squad": {"question": "question", "context": "context", "answers": "answers"}}
"""Fields of formats with fixed column names."""


def run(
    data: Path,
    /,
    *,
    name: str | None = None,
    task: str = "translation",
    fields: list[str] | None = None,
    columns: list[str] | None = None,
) -> None:
    """Add a file or folder as data of this repository: write configs/data/NAME.yaml
    and configs/experiment/NAME.yaml, and `dvc add` the folder.

    The format is detected by content.

    Args:
        data: a file, or a folder of files.
        name: name of the new files in configs/; by default that of the data.
        task: task to train; a file of configs/task.
        fields: field=COLUMN for each field of the task, such as source=en target=fr, if
            the names of the columns are ambiguous.
        columns: names of the columns of a CSV file without a header.
    """
    name, what = to_name(data, name), get_task(task)
    files = [CONFIGS / kind / f"{name}.yaml" for kind in ("data", "experiment")]
    _check_free(files)
    defaults = yaml.safe_load(compose([f"task={task}"]))
    place = find_place(data, name)
    found = find_format(place.paths) | ({"columns": columns} if columns else {})
    chosen = read_pairs("--fields", fields or []) or FIXED.get(found["format"], {})
    rows, count = _read(name, place, found, chosen)
    there = list(dict.fromkeys(key for row in rows for key in row.values))
    print(_columns(found["format"], there, rows[0]))
    chosen = chosen or guess_fields(what, there, defaults["task"]["languages"])
    if not chosen:
        raise missing_fields(what, there, found["format"] == "csv")
    what.check_fields(chosen)
    size = Size(count, _mean_chars(rows, chosen))
    step = defaults["train"]["global_batch_size"] * defaults["tokenize"]["max_seq_len"]
    values = {"name": name, "root": str(place.root), **found, "fields": chosen}
    texts = [data_yaml(values), experiment_yaml(name, task, size, step)]
    take(place)
    for file, content in zip(files, texts, strict=True):
        io.write_text(file, content)
    stage(place, files)
    pairs = ", ".join(f"{field}: {column}" for field, column in chosen.items())
    print(
        f"fields   {pairs}\n"
        f"data     {size.shown} in {place.root}"
        + (" (copied)" if place.is_copy else "")
        + f", tracked by DVC; dvc push uploads it\nwritten  {files[0]}, {files[1]}\n"
        f"next     dvc exp run -S +experiment={name}"
    )


def _check_free(files: Sequence[Path]) -> None:
    for file in files:
        if file.exists():
            raise ConfigError(
                str(file),
                "already exists",
                expected="a new name",
                fix="choose another --name, or remove this file first",
            )


def _read(
    name: str, place: Place, found: Mapping[str, Any], fields: Mapping[str, str]
) -> tuple[list[Row], int]:
    """The first rows, and their number, counted up to MOST_ROWS. Raises: DataError."""
    base = yaml.safe_load((CONFIGS / "data/base.yaml").read_text(encoding="utf-8"))
    here = {"name": name, "root": str(place.paths[0].parent), "fields": dict(fields)}
    section = DataConfig.model_validate({**base, **here, **found})
    rows: list[Row] = []
    count = 0
    for batch in read_row_batches(section):
        some = (batch.row(at) for at in range(min(len(batch), SHOWN - len(rows))))
        rows += [row for row in some if isinstance(row, Row)]
        count += len(batch)
        if count >= MOST_ROWS:
            break
    if not rows:
        raise DataError(
            str(place.paths[0]),
            f"none of {count:,} rows can be read as {section.format}",
            expected="CSV, JSONL, JSON, Parquet, SQuAD or text",
            fix="write the file of configs/data by hand, then check its rejects: "
            f"python scripts/test_pipeline.py configs/data/{name}.yaml",
        )
    return rows, count


def _columns(kind: str, columns: Sequence[str], first: Row) -> str:
    """Each column with its first value."""
    shown = [f"format   {kind}", "columns"]
    for column in columns:
        value = " ".join(str(first.values.get(column, "")).split())
        short = value if len(value) <= WIDTH else value[: WIDTH - 1] + "…"
        shown.append(f"  {column}: {short}")
    return "\n".join(shown)


def _mean_chars(rows: Sequence[Row], fields: Mapping[str, str]) -> float:
    """Mean characters of the fields of a row. Raises: ConfigError if no row has one of
    the columns."""
    total = 0
    for field, column in fields.items():
        values = [value for row in rows if (value := row.get(column)) is not ABSENT]
        if not values:
            raise ConfigError(
                f"--fields {field}={column}",
                f"none of the first {len(rows):,} rows has {column!r}",
                expected=f"one of {', '.join(map(str, rows[0].values))}",
                fix="correct the name of the column",
            )
        total += sum(len(str(value)) for value in values)
    return total / len(rows)
