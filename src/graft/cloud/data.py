"""Data by their md5, in DVC's cache and on its remote."""

import json
import re
from pathlib import Path
from typing import Any

from graft.config.secrets import without_secret
from graft.errors import StorageError
from graft.records import show_path

_REMOTE = re.compile(r"""'?remote "(?P<name>.+)"'?""")
"""A section of DVC's configuration."""


def remote_address(root: Path) -> str:
    """The address of DVC's default remote without credentials; empty if none is
    configured, or `root` is not under DVC."""
    name, remotes = read_remotes(root)
    return without_secret(remotes.get(name, {}).get("url", ""))


def read_remotes(root: Path) -> tuple[str, dict[str, dict[str, str]]]:
    """DVC's configuration of remotes: the name of the default one, empty if there is
    none, and the options of each; they may contain credentials."""
    # Opening DVC's repository would import its file systems, which takes half a second.
    from configobj import ConfigObj, ConfigObjError
    from dvc.config import Config

    folders = [Config.get_dir(level) for level in ("system", "global")]
    files = [Path(folder) / "config" for folder in folders]
    files += [root / ".dvc/config", root / ".dvc/config.local"]
    default, remotes = "", dict[str, dict[str, str]]()
    for file in files if (root / ".dvc").is_dir() else ():
        try:
            values = ConfigObj(str(file), list_values=False)
        except (ConfigObjError, OSError):
            continue
        default = values.get("core", {}).get("remote", default)
        for section, options in values.items():
            if match := _REMOTE.fullmatch(section):
                remotes.setdefault(match["name"], {}).update(options)
    return default, remotes


class MissingDataError(StorageError):
    """Data that are neither in the cache nor on the remote."""


class StoredData:
    """Files and folders by DVC's md5. What is only on the remote is fetched into the
    cache.

    Args:
        root: root of a repository under DVC.
    Raises: StorageError if it is not under DVC.
    """

    def __init__(self, root: Path) -> None:
        from dvc.exceptions import NotDvcRepoError
        from dvc.repo import Repo

        try:
            self.repo: Any = Repo(str(root))
        except NotDvcRepoError as error:
            raise StorageError(
                str(root.absolute()),
                "not a repository under DVC",
                expected="the root of the repository in which the model was trained",
                fix="change to this folder, or clone the repository",
            ) from error

    def in_cache(self, md5: str) -> bool:
        """Whether the file, or all files of the folder, are in the cache."""
        path = self._path(md5)
        if not path.is_file():
            return False
        return all(self._path(part).is_file() for part, _ in self._parts(md5))

    def link(self, md5: str, out: Path) -> Path:
        """Make `out` a link to a file, or a folder of links to a folder's files.

        Raises: MissingDataError if the md5, or a part of it, is neither in the cache
            nor on the remote.
        """
        self._ensure(md5)
        for part, name in self._parts(md5):
            target = out / name if name else out
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(self._path(part))
        return out

    def _ensure(self, md5: str) -> None:
        """Fetch into the cache what is not there."""
        # DVC takes a folder to be complete if the list of its files is in the cache.
        problem = "" if self._path(md5).is_file() else self._fetch({md5})
        if self._path(md5).is_file():
            parts = {part for part, _ in self._parts(md5)}
            lost = {part for part in parts if not self._path(part).is_file()}
            problem = self._fetch(lost) if lost else ""
        if not self.in_cache(md5):
            raise MissingDataError(
                f"md5 {md5}",
                f"is neither in the cache nor on the remote: {problem}",
                expected=f"this md5 in {show_path(self._cache.path)} or on DVC's "
                "default remote",
                fix="configure the remote to which they were pushed (graft remote), or "
                "push them from the machine that has them (dvc push)",
            )

    def _fetch(self, md5s: set[str]) -> str:
        """Fetch from the remote. Returns: why not everything was fetched."""
        from dvc.config import NoRemoteError
        from dvc.exceptions import DvcException
        from dvc_data.hashfile.hash_info import HashInfo

        try:
            self.repo.cloud.pull({HashInfo("md5", md5) for md5 in md5s})
        except NoRemoteError:
            return "no remote is configured"
        except DvcException as error:
            return without_secret(str(error).splitlines()[0])
        # Whatever the remote's library raises: no network, no permission.
        except Exception as error:  # pylint: disable=broad-exception-caught
            return without_secret(f"{type(error).__name__}: {error}")
        return f"the remote lacks one of {len(md5s)} files"

    def _parts(self, md5: str) -> list[tuple[str, str]]:
        """md5 and relative path of each file in a folder; of a file, its own."""
        if not md5.endswith(".dir"):
            return [(md5, "")]
        listed = json.loads(self._path(md5).read_bytes())
        return [(part["md5"], part["relpath"]) for part in listed]

    @property
    def _cache(self) -> Any:
        return self.repo.cache.local

    def _path(self, md5: str) -> Path:
        return Path(self._cache.oid_to_path(md5))


def md5_of(root: Path, path: Path) -> str:
    """DVC's md5 of a file or folder as it is now.

    Raises: StorageError if it does not exist, or `root` is not under DVC.
    """
    from dvc_data.hashfile.build import build
    from dvc_objects.fs.local import localfs

    repo = StoredData(root).repo
    if not path.exists():
        raise StorageError(
            show_path(path),
            "no such file or folder",
            expected="a path, or an md5 as in dvc.lock: 32 digits, perhaps with .dir",
            fix="correct the path",
        )
    _, _, found = build(
        repo.cache.local,
        str(path.absolute()),
        localfs,
        "md5",
        ignore=repo.dvcignore,
        dry_run=True,
    )
    return str(found.hash_info.value)
