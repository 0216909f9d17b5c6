"""Finds the files of a source before any is read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from graft.config import DataConfig
from graft.errors import DataError
from graft.records import Reject, shorten, show_path
from graft.sources.patterns import find_files


@dataclass(frozen=True)
class SourcePart:
    """One file, or one file for each column that are read side by side."""

    paths: dict[str, Path]
    root: Path
    split: str | None

    @property
    def path(self) -> Path:
        """The only file, or that of the first column."""
        return next(iter(self.paths.values()))

    def where(self, row: int | None = None, column: str | None = None) -> str:
        """`file:row`, relative to an absolute root, so that reports are comparable."""
        path = self.paths[column] if column else self.path
        shown = _shown(path, self.root)
        return shown if row is None else f"{shown}:{row}"


@lru_cache(256)  # slow, and called for every row
def _shown(path: Path, root: Path) -> str:
    return show_path(path.relative_to(root) if root.is_absolute() else path)


def reject(where: str, reason: str, value: object, expected: str, fix: str) -> Reject:
    """A row that is rejected while reading."""
    return Reject(where, "convert", reason, shorten(value), expected, fix)


def outer_columns(data: DataConfig) -> set[str]:
    """Columns that `data` names, directly or by a path: `translation.en`,
    `turns[0]`."""
    paths = [*data.fields.values(), *data.required, *data.ranges]
    whole = {path for path in (*paths, data.group, data.stratum, data.split) if path}
    return whole | {re.split(r"[.\[]", path)[0] for path in whole}


def find_parts(data: DataConfig) -> list[SourcePart]:
    """All files that `data.files` names, by split and then by name.

    A file that is also linked under another name is used once, under its own name.
    Raises: DataError if a file is missing or in two splits, or if columns have unequal
        numbers of files.
    """
    parts: dict[tuple[Path, ...], SourcePart] = {}
    for split in data.files:
        for part in _parts_of(data, split):
            content = tuple(path.resolve() for path in part.paths.values())
            former = parts.setdefault(content, part)
            if former.split != part.split:
                raise DataError(
                    f"data.files.{split}",
                    f"{part.where()} is also in {former.split or 'all'}",
                    expected="each file in one split, so that examples do not leak",
                    fix="write patterns in data.files that match different files",
                )
            if former.path.is_symlink() and not part.path.is_symlink():
                parts[content] = part
    return list(parts.values())


def _parts_of(data: DataConfig, split: str) -> Iterator[SourcePart]:
    files = data.files[split]
    columns = {"": files} if isinstance(files, str) else files
    found = {name: find_files(data.root, pattern) for name, pattern in columns.items()}
    counts = {name: len(paths) for name, paths in found.items()}
    if len(set(counts.values())) > 1:
        raise DataError(
            f"data.files.{split}",
            f"the columns have unequal numbers of files: {counts}",
            expected="the same number of files for each column",
            fix="correct the patterns, or add the missing file",
        )
    official = None if split == "all" else split
    for paths in zip(*found.values(), strict=True):
        yield SourcePart(dict(zip(found, paths, strict=True)), data.root, official)
