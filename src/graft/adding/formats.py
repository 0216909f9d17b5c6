"""Detects the format of files from their content, and splits from file names."""

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graft.errors import DataError
from graft.sources.opening import open_text

HEAD = 1 << 18
"""Number of characters of a file that are examined."""
DELIMITERS = ",\t;|"
NO_DATA = re.compile(r"\.|readme|licen[cs]e|.*\.(md|dvc|py|ya?ml)$", re.IGNORECASE)
"""Names of files that are not data."""
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}
"""Beginning of a file name → split."""


def find_format(paths: Sequence[Path]) -> dict[str, Any]:
    """The format of the files: `format`, `files` and other keys of section `data`.

    Raises: DataError if the files have different formats, or an unknown format.
    """
    formats = {path: _format_of(path) for path in paths}
    first = formats[paths[0]]
    for path, other in formats.items():
        if other != first:
            raise DataError(
                str(path),
                f"is {_shown(other)}, but {paths[0].name} is {_shown(first)}",
                expected="a folder whose files have the same format",
                fix="pass a single file, or move the other files to another folder",
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
        raise DataError(
            str(path), "is empty", fix="remove the file, or restore its content"
        )
    if "\0" in head or re.search("[\ud800-\udfff]", head):
        raise DataError(
            str(path),
            "is neither UTF-8 text nor Parquet",
            expected="CSV, JSONL, JSON, Parquet or text",
            fix="save it as UTF-8 (iconv -t UTF-8), or write the file in configs/data "
            "by hand and set its key encoding",
        )
    if start[0] == "[" and not _is_json(start.splitlines()[0]):
        return {"format": "json"}
    if start[0] in "[{":
        return _json_format(start)
    lines = head.splitlines(keepends=True)
    complete = lines if len(head) < HEAD else lines[:-1]
    return _table_format(path.name, complete) or {"format": "text"}


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
    """CSV if some delimiter splits all lines into the same number of fields, at least
    two; otherwise None."""
    suffixes = [part.lower() for part in Path(name).suffixes]
    if ".txt" in suffixes:
        return None
    is_named = ".csv" in suffixes or ".tsv" in suffixes
    delimiters = [d for d in DELIMITERS if _num_fields(lines, d) > 1]
    if not delimiters and is_named:
        return {"format": "csv", "delimiter": "\t" if ".tsv" in suffixes else ","}
    if not delimiters or (len(lines) < 2 and not is_named):
        return None
    delimiter = "\t" if "\t" in delimiters else delimiters[0]
    if delimiter == "\t" and not any('\t"' in line for line in lines):
        return {"format": "csv", "delimiter": "\t", "quote": None}
    return {"format": "csv", "delimiter": delimiter}


def _num_fields(lines: Sequence[str], delimiter: str) -> int:
    """The number of fields in each record; 0 if records differ."""
    try:
        counts = {len(row) for row in csv.reader(lines, delimiter=delimiter) if row}
    except csv.Error:
        return 0
    return counts.pop() if len(counts) == 1 else 0


def _by_split(paths: Sequence[Path]) -> dict[str, str]:
    """Files by split, if all files are named after a split and one is `train`; else all
    files as `all`."""
    splits: dict[str, list[Path]] = {}
    for path in paths:
        splits.setdefault(_split_of(path), []).append(path)
    if "train" not in splits or "all" in splits:
        splits = {"all": list(paths)}
    return {split: _pattern(files, split) for split, files in splits.items()}


def _first_word(path: Path) -> str:
    """The leading letters of a file name: `train` of train-1.csv."""
    match = re.match("[a-z]*", path.name.lower())
    return path.name[: match.end()] if match else ""


def _split_of(path: Path) -> str:
    return SPLIT_NAMES.get(_first_word(path).lower(), "all")


def _pattern(paths: Sequence[Path], split: str) -> str:
    """The name of the only file, or a glob pattern that matches all files.

    Raises: DataError if no pattern matches.
    """
    if len(paths) == 1:
        return paths[0].name
    prefixes = {"" if split == "all" else _first_word(path) for path in paths}
    suffixes = {_suffix(path) for path in paths}
    if len(prefixes) > 1 or len(suffixes) > 1:
        raise DataError(
            str(paths[0].parent),
            f"no glob pattern matches {', '.join(path.name for path in paths[:5])}",
            expected="names with the same beginning and end: part-1.csv, part-2.csv",
            fix="rename the files",
        )
    return f"{prefixes.pop()}*{suffixes.pop()}"


def _suffix(path: Path) -> str:
    """The suffix of a file name, with that of compression: `.csv.gz`."""
    compressed = path.suffix in (".gz", ".bz2", ".xz", ".zst")
    return "".join(path.suffixes[-2:]) if compressed else path.suffix


def _parallel(paths: Sequence[Path]) -> dict[str, Any] | None:
    """Pairs of text files with parallel lines, such as train.en and train.fr; None if
    the files are not such pairs."""
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


def _shown(source: dict[str, Any]) -> str:
    delimiter = source.get("delimiter")
    return str(source["format"]) + (f" with {delimiter!r}" if delimiter else "")
