"""A folder of files on S3 or another file system that fsspec has."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from graft import io
from graft.cloud.remote import REGION
from graft.config.secrets import without_secret
from graft.errors import StorageError

CONNECT_S, READ_S = 5, 20
"""Seconds after which an attempt on S3 has failed."""


class RemoteFolder:
    """Files by their names. Credentials and endpoint are found as boto does.

    Args:
        address: s3://BUCKET/PREFIX, a path, or an address of another file system.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")

    def names(self, folder: str = "") -> set[str]:
        """Of the files and folders that are there, or in a folder of it.

        Raises: StorageError.
        """
        with self._named():
            path = f"{self._path}/{folder}".rstrip("/")
            try:
                found = self._system.ls(path, detail=False)
            except FileNotFoundError:
                return set()
        return {name.rstrip("/").rsplit("/", 1)[-1] for name in found if name != path}

    def put(self, file: Path, name: str = "") -> None:
        """Copy a file here, where it appears whole, under its own or another name.

        Raises: StorageError; FileNotFoundError if there is no such file.
        """
        with file.open("rb"):  # an error of S3 may be a FileNotFoundError, too
            pass
        with self._named():
            target = f"{self._path}/{name or file.name}"
            if not self._is_local:  # an object of S3 appears whole
                self._system.put_file(str(file), target)
                return
            with io.atomic(Path(target)) as partial:
                shutil.copyfile(file, partial)

    def fetch(self, name: str, out: Path) -> None:
        """Copy a file from here to the path `out`. Raises: StorageError."""
        with self._named(), io.atomic(out) as partial:
            self._system.get_file(f"{self._path}/{name}", str(partial))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there. Raises: StorageError."""
        with self._named():
            try:
                self._system.rm_file(f"{self._path}/{name}")
            except FileNotFoundError:
                pass

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        options: dict[str, Any] = {
            "skip_instance_cache": True,
            "use_listings_cache": False,
        }
        if self.address.startswith("s3://"):
            options["config_kwargs"] = {
                "connect_timeout": CONNECT_S,
                "read_timeout": READ_S,
                "retries": {"max_attempts": 0},
            }
            if region := os.environ.get(REGION):
                options["client_kwargs"] = {"region_name": region}
        system, path = url_to_fs(self.address, **options)
        system.retries = 1  # of s3fs, which would sleep between five attempts
        return system, path

    @property
    def _system(self) -> Any:
        return self._opened[0]

    @property
    def _path(self) -> str:
        return self._opened[1]

    @property
    def _is_local(self) -> bool:
        return "file" in self._system.protocol

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Raises: StorageError with this address."""
        try:
            yield
        except StorageError:
            raise
        # Whatever the file system's library raises: no network, no permission.
        except Exception as error:  # pylint: disable=broad-exception-caught
            raise StorageError(
                without_secret(self.address),
                without_secret(f"{type(error).__name__}: {error}"),
                expected="a folder that can be read and written",
                fix="check the address, its credentials (AWS_PROFILE, "
                "AWS_ACCESS_KEY_ID) and AWS_ENDPOINT_URL_S3",
            ) from error
