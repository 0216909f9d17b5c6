"""The folder in the repository for a user's data, tracked by DVC."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from graft.adding.formats import NO_DATA
from graft.errors import ConfigError, DataError
from graft.process.programs import run_program

NAME = re.compile("[a-z0-9][a-z0-9_-]*")
_run = partial(
    run_program,
    expected="a git repository with DVC, and a folder that neither tracks",
)


@dataclass(frozen=True)
class Place:
    """The folder that DVC will track.

    Attributes:
        root: the folder, relative to the repository.
        paths: the files, where they are now.
        is_copy: whether the files must be copied to `root`.
    """

    root: Path
    paths: Sequence[Path]
    is_copy: bool


def to_name(data: Path, name: str | None) -> str:
    """The name of new configurations and of the registered model.

    Args:
        data: path whose name is converted if `name` is None.
        name: the name that the user chose.
    Raises: ConfigError if the name is invalid.
    """
    stem = data.resolve().name.lower().split(".")[0]
    result = name or re.sub("[^a-z0-9_-]+", "-", stem).strip("-_")
    if not NAME.fullmatch(result):
        raise ConfigError(
            f"--name {result}",
            "is not a valid name for a configuration",
            expected="letters a to z, digits, - and _, first a letter or digit",
            fix="choose another --name",
        )
    return result


def find_place(data: Path, name: str) -> Place:
    """Determine the folder of the data in the repository, without copying files.

    Data that are already in a separate folder of the repository remain there. All other
    data are to be copied to data/NAME, since DVC tracks complete folders, in which git
    must not track files.

    Raises: DataError if there are no data, or if data/NAME exists.
    """
    if not data.exists():
        raise DataError(str(data), "no such file or folder", fix="correct the path")
    folder = data if data.is_dir() else data.parent
    paths = [data] if data.is_file() else _files(data)
    if not paths:
        raise DataError(str(data), "contains no data files", fix="pass another folder")
    repository = Path.cwd()
    location = folder.resolve()
    is_inside = location.is_relative_to(repository) and location != repository
    if is_inside and _files(folder) == paths and not _has_tracked_files(folder):
        root = location.relative_to(repository)
        return Place(root, [root / path.relative_to(folder) for path in paths], False)
    root = Path("data") / name
    if root.exists():
        raise DataError(
            str(root),
            f"already exists, and {data} would be copied to it",
            expected="a new name, or data in a separate folder of the repository",
            fix="choose another --name, or move the data to a separate folder",
        )
    return Place(root, paths, True)


def dvc_add(place: Place) -> None:
    """Copy the files if necessary, and track their folder with DVC.

    Raises: StorageError if DVC fails.
    """
    if place.is_copy:
        place.root.mkdir(parents=True)
        for path in place.paths:
            shutil.copy2(path, place.root)
    _run("dvc", "add", "--quiet", str(place.root))


def git_add(place: Place, configs: Sequence[Path]) -> None:
    """Add the files that describe the data to git's index, since a queued experiment
    receives only files that git or DVC tracks.

    Raises: StorageError if git fails.
    """
    ignore = place.root.parent / ".gitignore"
    files = [f"{place.root}.dvc", *([str(ignore)] if ignore.is_file() else [])]
    _run("git", "add", "--", *files, *map(str, configs))


def _files(folder: Path) -> list[Path]:
    """The data files of a folder, sorted."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not NO_DATA.match(path.name)
    )


def _has_tracked_files(folder: Path) -> bool:
    """Whether git tracks a file in the folder."""
    return bool(_run("git", "ls-files", "--", str(folder)))
