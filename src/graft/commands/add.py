"""`graft add`: write the configuration of a user's data and of an experiment."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from graft import io
from graft.adding.columns import guess_fields, missing_fields, read_pairs
from graft.adding.formats import find_format
from graft.adding.place import Place, dvc_add, find_place, git_add, to_name
from graft.adding.recipe import MOST_ROWS, Size, data_yaml, experiment_yaml
from graft.config import DataConfig
from graft.config.compose import CONFIGS, compose
from graft.errors import ConfigError, DataError
from graft.field_paths import ABSENT
from graft.records import Row
from graft.sources import read_row_batches
from graft.tasks import get_task

NUM_EXAMINED, WIDTH = 1000, 60
"""Rows from which columns and lengths are estimated; width of a printed value."""
FIXED = {"squad": {"question": "question", "context": "context", "answers": "answers"}}
"""Formats whose column names are fixed → field → column."""


def run(
    data: Path,
    /,
    *,
    name: str | None = None,
    task: str = "translation",
    fields: list[str] | None = None,
    columns: list[str] | None = None,
) -> None:
    """Add a file or folder as data of this repository.

    Detects the format, writes configs/data/NAME.yaml and configs/experiment/NAME.yaml,
    and tracks the folder with DVC (`dvc add`).

    Args:
        data: a file, or a folder of files.
        name: name of the new files in configs/; by default, the name of the data.
        task: task to train, a file in configs/task.
        fields: column of each field of the task, as FIELD=COLUMN, such as source=en
            target=fr; required if column names are ambiguous.
        columns: column names of a CSV file without a header.
    """
    name, definition = to_name(data, name), get_task(task)
    files = [CONFIGS / group / f"{name}.yaml" for group in ("data", "experiment")]
    _check_new(files)
    defaults = yaml.safe_load(compose([f"task={task}"]))
    place = find_place(data, name)
    source = find_format(place.paths) | ({"columns": columns} if columns else {})
    mapping = read_pairs("--fields", fields or []) or FIXED.get(source["format"], {})
    rows, count = _read(name, place, source, mapping)
    names = list(dict.fromkeys(key for row in rows for key in row.values))
    print(_columns(source["format"], names, rows[0]))
    mapping = mapping or guess_fields(definition, names, defaults["task"]["languages"])
    if not mapping:
        raise missing_fields(definition, names, source["format"] == "csv")
    definition.check_fields(mapping)
    size = Size(count, _mean_chars(rows, mapping))
    step = defaults["train"]["global_batch_size"] * defaults["tokenize"]["max_seq_len"]
    values = {"name": name, "root": str(place.root), **source, "fields": mapping}
    texts = [data_yaml(values), experiment_yaml(name, task, size, step)]
    dvc_add(place)
    for file, content in zip(files, texts, strict=True):
        io.write_text(file, content)
    git_add(place, files)
    pairs = ", ".join(f"{field}: {column}" for field, column in mapping.items())
    print(
        f"fields   {pairs}\n"
        f"data     {size.shown} in {place.root}"
        + (" (copied)" if place.is_copy else "")
        + f", tracked by DVC; dvc push uploads it\nwritten  {files[0]}, {files[1]}\n"
        f"next     dvc exp run -S +experiment={name}"
    )


def _check_new(files: Sequence[Path]) -> None:
    """Raises: ConfigError if one of the files exists."""
    for file in files:
        if file.exists():
            raise ConfigError(
                str(file),
                "already exists",
                expected="a name that no configuration has",
                fix="choose another --name, or remove this file first",
            )


def _read(
    name: str, place: Place, source: Mapping[str, Any], fields: Mapping[str, str]
) -> tuple[list[Row], int]:
    """The first rows, and the number of all rows, counted up to about MOST_ROWS.

    Raises: DataError if none of the rows can be read.
    """
    base = yaml.safe_load((CONFIGS / "data/base.yaml").read_text(encoding="utf-8"))
    values = {"name": name, "root": str(place.paths[0].parent), "fields": dict(fields)}
    section = DataConfig.model_validate({**base, **values, **source})
    rows: list[Row] = []
    count = 0
    for batch in read_row_batches(section):
        num_rows = min(len(batch), NUM_EXAMINED - len(rows))
        first = (batch.row(index) for index in range(num_rows))
        rows += [row for row in first if isinstance(row, Row)]
        count += len(batch)
        if count >= MOST_ROWS:
            break
    if not rows:
        raise DataError(
            str(place.paths[0]),
            f"none of {count:,} rows can be read as {section.format}",
            expected="CSV, JSONL, JSON, Parquet, SQuAD or text",
            fix="write configs/data/NAME.yaml by hand, then check its rejects: "
            f"python scripts/test_pipeline.py configs/data/{name}.yaml",
        )
    return rows, count


def _columns(kind: str, columns: Sequence[str], first: Row) -> str:
    """The format, and each column with its value in the first row."""
    shown = [f"format   {kind}", "columns"]
    for column in columns:
        value = " ".join(str(first.values.get(column, "")).split())
        short = value if len(value) <= WIDTH else value[: WIDTH - 1] + "…"
        shown.append(f"  {column}: {short}")
    return "\n".join(shown)


def _mean_chars(rows: Sequence[Row], fields: Mapping[str, str]) -> float:
    """Mean number of characters of a row's fields.

    Raises: ConfigError if a column is missing in all rows.
    """
    total = 0
    for field, column in fields.items():
        values = [value for row in rows if (value := row.get(column)) is not ABSENT]
        if not values:
            raise ConfigError(
                f"--fields {field}={column}",
                f"none of the first {len(rows):,} rows has a column {column!r}",
                expected=f"one of {', '.join(map(str, rows[0].values))}",
                fix="correct the name of the column",
            )
        total += sum(len(str(value)) for value in values)
    return total / len(rows)
