"""Detects the format of files by their content, and their splits by their names."""

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graft.errors import DataError
from graft.sources.opening import open_text

HEAD = 1 << 18
"""Number of characters that are examined."""
DELIMITERS = ",\t;|"
NO_DATA = re.compile(r"\.|readme|licen[cs]e|.*\.(md|dvc|py|ya?ml)$", re.IGNORECASE)
SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}


def find_format(paths: Sequence[Path]) -> dict[str, Any]:
    """`format` and other keys of section `data` that a reader needs.

    Raises: DataError for files of several formats, or of an unknown one.
    """
    found = {path: _format_of(path) for path in paths}
    first = found[paths[0]]
    for path, other in found.items():
        if other != first:
            raise DataError(
                str(path),
                f"is {_shown(other)}, and {paths[0].name} is {_shown(first)}",
                expected="files of one format in a folder",
                fix="name one file, or move the others elsewhere",
            )
    if first["format"] == "text" and (parallel := _parallel(paths)):
        return parallel
    return first | {"files": _by_split(paths)}


def _format_of(path: Path) -> dict[str, Any]:
    with path.open("rb") as raw:
        if raw.read(4) == b"PAR1":
            return {"format": "parquet"}
    with open_text(path, "utf-8") as stream:
        head = stream.read(HEAD)
    start = head.lstrip("\ufeff").lstrip()
    if not start:
        raise DataError(str(path), "is empty", fix="fill the file, or remove it")
    if "\0" in head or re.search("[\ud800-\udfff]", head):
        raise DataError(
            str(path),
            "is not text in UTF-8, nor Parquet",
            expected="CSV, JSONL, JSON, Parquet or text",
            fix="save it as UTF-8 (iconv -t UTF-8), or write a file of configs/data "
            "with encoding: by hand",
        )
    if start[0] == "[" and not _is_json(start.splitlines()[0]):
        return {"format": "json"}
    if start[0] in "[{":
        return _json_format(start)
    lines = head.splitlines(keepends=True)
    whole = lines if len(head) < HEAD else lines[:-1]
    return _table_format(path.name, whole) or {"format": "text"}


def _json_format(start: str) -> dict[str, Any]:
    first, _, rest = start.partition("\n")
    if (
        _is_json(first)
        and first[0] == "{"
        and not (not rest.strip() and '"paragraphs"' in first)
    ):
        return {"format": "jsonl"}
    if '"paragraphs"' in start and start[0] == "{":
        return {"format": "squad", "group": "title"}
    return {"format": "json"}


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _table_format(name: str, lines: Sequence[str]) -> dict[str, Any] | None:
    """CSV, if a delimiter gives every line the same number of fields, at least two."""
    suffixes = [part.lower() for part in Path(name).suffixes]
    if ".txt" in suffixes:
        return None
    is_named = ".csv" in suffixes or ".tsv" in suffixes
    fits = [mark for mark in DELIMITERS if _width(lines, mark) > 1]
    if not fits and is_named:
        return {"format": "csv", "delimiter": "\t" if ".tsv" in suffixes else ","}
    if not fits or (len(lines) < 2 and not is_named):
        return None
    delimiter = "\t" if "\t" in fits else fits[0]
    if delimiter == "\t" and not any('\t"' in line for line in lines):
        return {"format": "csv", "delimiter": "\t", "quote": None}
    return {"format": "csv", "delimiter": delimiter}


def _width(lines: Sequence[str], delimiter: str) -> int:
    """Number of fields of every record; 0 if they differ."""
    try:
        widths = {len(row) for row in csv.reader(lines, delimiter=delimiter) if row}
    except csv.Error:
        return 0
    return widths.pop() if len(widths) == 1 else 0


def _by_split(paths: Sequence[Path]) -> dict[str, str]:
    """Files by official split, if all are named after one, and one after train."""
    splits: dict[str, list[Path]] = {}
    for path in paths:
        splits.setdefault(_split_of(path), []).append(path)
    if "train" not in splits or "all" in splits:
        splits = {"all": list(paths)}
    return {split: _pattern(some, split) for split, some in splits.items()}


def _word(path: Path) -> str:
    """The leading letters of a file's name, such as train of train-1.csv."""
    found = re.match("[a-z]*", path.name.lower())
    return path.name[: found.end()] if found else ""


def _split_of(path: Path) -> str:
    return SPLITS.get(_word(path).lower(), "all")


def _pattern(paths: Sequence[Path], split: str) -> str:
    """A file's name, or a glob that matches all. Raises: DataError if there is none."""
    if len(paths) == 1:
        return paths[0].name
    starts = {"" if split == "all" else _word(path) for path in paths}
    ends = {_end(path) for path in paths}
    if len(starts) > 1 or len(ends) > 1:
        raise DataError(
            str(paths[0].parent),
            f"no pattern fits {', '.join(path.name for path in paths[:5])}",
            expected="names with the same beginning and end: part-1.csv, part-2.csv",
            fix="rename them",
        )
    return f"{starts.pop()}*{ends.pop()}"


def _end(path: Path) -> str:
    """A name's suffix, including that of its compression."""
    packed = path.suffix in (".gz", ".bz2", ".xz", ".zst")
    return "".join(path.suffixes[-2:]) if packed else path.suffix


def _parallel(paths: Sequence[Path]) -> dict[str, Any] | None:
    """Pairs of text files with parallel lines, such as train.en and train.fr."""
    stems: dict[str, dict[str, str]] = {}
    for path in paths:
        column = path.suffix.removeprefix(".")
        stems.setdefault(path.stem, {})[column] = path.name
    columns = {tuple(sorted(files)) for files in stems.values()}
    if len(columns) != 1 or len(paths) != 2 * len(stems):
        return None
    if len({_num_lines(path) for path in paths[:2]}) > 1:
        return None
    splits = [_split_of(Path(stem)) for stem in stems]
    if len(stems) == 1 and splits == ["all"]:
        return {"format": "parallel", "files": {"all": next(iter(stems.values()))}}
    if len(set(splits)) < len(splits) or "train" not in splits or "all" in splits:
        return None
    files = dict(zip(splits, stems.values(), strict=True))
    return {"format": "parallel", "files": files}


def _num_lines(path: Path) -> int:
    with path.open("rb") as raw:
        return sum(1 for _ in raw)


def _shown(found: dict[str, Any]) -> str:
    delimiter = found.get("delimiter")
    return str(found["format"]) + (f" by {delimiter!r}" if delimiter else "")
