"""Merges and copies the shards of the request log in a thread of its own."""

import fcntl
import logging
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from graft.errors import GraftError
from graft.monitoring.request_log.copying import Remote, ShardCopier
from graft.monitoring.request_log.merging import (
    MAX_LEVEL,
    merge_shards,
    remove_replaced,
)

LOGGER = logging.getLogger(__name__)
LOCK = ".upkeep.lock"


class Upkeep:
    """Works whenever it is woken, as often as there is something to merge or to copy.

    Args:
        folder: of the shards; several servers may write to it.
        remote: to which shards are copied; None: they are not.

    `is_clean`: whether the remote has each shard, and none that was replaced.
    """

    def __init__(self, folder: Path, remote: Remote | None) -> None:
        self._folder = folder
        self._copier = ShardCopier(folder, remote) if remote is not None else None
        self.is_clean = self._copier is None
        self._woken, self._ends = threading.Event(), False
        self.num_failures = 0
        self._thread = threading.Thread(target=self._run, name="request-log-upkeep")
        self._thread.daemon = True  # a remote that hangs must not keep the process
        self._thread.start()

    @property
    def copied(self) -> Collection[str] | None:
        """Names of shards that have a copy on the remote; None without a remote."""
        return self._copier.names if self._copier is not None else None

    def wake(self) -> None:
        """There are new shards."""
        self._woken.set()

    def close(self, timeout_s: float) -> None:
        """Work once more, then end."""
        self._ends = True
        self._woken.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        ends = False
        while not ends:
            self._woken.wait()
            self._woken.clear()
            ends = self._ends
            try:
                with _alone(self._folder) as is_alone:
                    if is_alone:
                        self._merge()
                        self._copy()
            # A disk or a remote: the next time it may work.
            except Exception as error:  # pylint: disable=broad-exception-caught
                LOGGER.warning("the request log: %s", error)

    def _merge(self) -> None:
        remove_replaced(self._folder)  # what a process that was killed has left
        # A shard on the remote is removed there because the shard that replaced it says
        # so, which therefore is not merged itself before.
        highest = MAX_LEVEL - 1 if self.is_clean else 0
        while merge_shards(self._folder, highest=highest):
            pass

    def _copy(self) -> None:
        if self._copier is None:
            return
        self.is_clean = False
        try:
            self._copier.copy()
            self.is_clean = True
        except GraftError:
            self.num_failures += 1
            raise


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other server works on the folder, until the end of the block."""
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
