"""A folder of the repository for a user's data, tracked by DVC."""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graft.adding.formats import NO_DATA
from graft.errors import ConfigError, DataError, StorageError

NAME = re.compile("[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Place:
    """The folder that DVC tracks, and its files.

    `is_copy`: whether the files must be copied there.
    """

    root: Path
    paths: Sequence[Path]
    is_copy: bool


def to_name(data: Path, name: str | None) -> str:
    """A name for configurations and the registry. Raises: ConfigError."""
    given = name or re.sub(
        "[^a-z0-9_-]+", "-", data.resolve().name.lower().split(".")[0]
    )
    given = given if name else given.strip("-_")
    if not NAME.fullmatch(given):
        raise ConfigError(
            f"--name {given}",
            "is not a valid name of a configuration",
            expected="a to z, digits, - and _, with a letter or digit first",
            fix="choose another --name",
        )
    return given


def find_place(data: Path, name: str) -> Place:
    """The folder of the data in the repository; copies nothing.

    A folder of the repository is used in place, also for the only file in it. Other
    data go to data/NAME, since DVC tracks whole folders without files that git tracks.
    Raises: DataError if there are no data.
    """
    if not data.exists():
        raise DataError(str(data), "no such file or folder", fix="correct the path")
    folder = data if data.is_dir() else data.parent
    paths = [data] if data.is_file() else _files(data)
    if not paths:
        raise DataError(str(data), "has no data file", fix="put the files there")
    here = Path.cwd()
    inside = folder.resolve().is_relative_to(here) and folder.resolve() != here
    if inside and _files(folder) == paths and not _tracked(folder):
        root = folder.resolve().relative_to(here)
        return Place(root, [root / path.relative_to(folder) for path in paths], False)
    root = Path("data") / name
    if root.exists():
        raise DataError(
            str(root),
            f"already exists, and {data} would be copied to it",
            expected="a new name, or data in a separate folder of the repository",
            fix="choose another --name, or move the file into a separate folder",
        )
    return Place(root, paths, True)


def take(place: Place) -> None:
    """Copy data from elsewhere, and `dvc add` the folder. Raises: StorageError."""
    if place.is_copy:
        place.root.mkdir(parents=True)
        for path in place.paths:
            shutil.copy2(path, place.root)
    _run(sys.executable, "-m", "dvc", "add", "--quiet", str(place.root))


def stage(place: Place, configs: Sequence[Path]) -> None:
    """`git add` the files that describe the data, since a queued experiment gets only
    what git and DVC track. Raises: StorageError."""
    ignore = place.root.parent / ".gitignore"
    files = [f"{place.root}.dvc", *([str(ignore)] if ignore.is_file() else [])]
    _run("git", "add", "--", *files, *map(str, configs))


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not NO_DATA.match(path.name)
    )


def _tracked(folder: Path) -> bool:
    """Whether git tracks a file of the folder."""
    return bool(_run("git", "ls-files", "--", str(folder)))


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StorageError(
            " ".join(words[words[0] == sys.executable and 2 :]),
            done.stderr.strip() or done.stdout.strip() or "failed",
            expected="a git repository with DVC, and a folder that neither tracks",
            fix="follow the message, then try again",
        )
    return done.stdout
