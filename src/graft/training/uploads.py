"""Copies checkpoints to a remote in a thread, so that no step waits for the network."""

import logging
import threading
from pathlib import Path

from graft.errors import GraftError
from graft.training.remote_checkpoints import RemoteCheckpoints

LOGGER = logging.getLogger(__name__)
WAIT_S = 60.0
"""Longest wait for the last copy, when a training ends or is interrupted."""


class Uploads:
    """Copies the newest checkpoint, and the best one before it. If copies take longer
    than the time between checkpoints, those in between are skipped.

    Args:
        folder: of the training.
        remote: of the same training.
        kept: how many checkpoints are kept there besides the best.

    `num_copied`, `num_skipped`, `num_failed`: checkpoints.
    """

    def __init__(self, folder: Path, remote: RemoteCheckpoints, kept: int) -> None:
        self._folder, self._remote, self._kept = folder, remote, kept
        self.num_copied = self.num_skipped = self.num_failed = 0
        self._change = threading.Condition()
        self._next: tuple[int, int] | None = None  # a step, and the best one then
        self._current: tuple[int, int] | None = None
        self._copied: list[int] = []
        self._is_finished = False
        # A daemon: a remote that hangs must not keep the process.
        self._thread = threading.Thread(
            target=self._run, name="checkpoint-uploads", daemon=True
        )
        self._thread.start()

    def pinned(self) -> set[int]:
        """Steps of the checkpoints that are being copied, or are the next."""
        with self._change:
            return {*(self._next or ()), *(self._current or ())}

    def add(self, step: int, best: int) -> None:
        """There is a new checkpoint. `best`: the step of the best one so far."""
        with self._change:
            self.num_skipped += self._next is not None
            self._next = step, best
            self._change.notify_all()

    def wait(self, timeout_s: float = WAIT_S) -> bool:
        """Wait until the newest checkpoint is copied; whether there is nothing left to
        do. Prints how many are not on the remote."""
        with self._change:
            done = self._change.wait_for(
                lambda: self._next is None and self._current is None, timeout_s
            )
        lost = self.num_skipped + self.num_failed + (not done)
        if lost:
            LOGGER.warning(
                "%d checkpoints were copied to the remote, %d were not: %d were "
                "followed by a newer one, %d failed%s",
                self.num_copied,
                lost,
                self.num_skipped,
                self.num_failed,
                "" if done else f", 1 took longer than {timeout_s:.0f} s",
            )
        return done

    def finish(self) -> None:
        """The training has its result: remove its checkpoints from the remote."""
        with self._change:
            self._is_finished, self._next = True, None
            self._change.notify_all()
        self._thread.join(WAIT_S)
        if self._thread.is_alive():
            LOGGER.warning("checkpoints of this training are left on the remote")

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._next or self._is_finished)
                self._current, self._next = self._next, None
            try:
                if self._current is None:
                    self._remote.finish()
                    return
                self._copy(*self._current)
            except (GraftError, OSError) as error:
                self.num_failed += self._current is not None
                LOGGER.warning("a copy of checkpoints, training goes on: %s", error)
            if self._is_finished and self._current is None:
                return
            with self._change:
                self._current = None
                self._change.notify_all()

    def _copy(self, step: int, best: int) -> None:
        # The best one first: without it the newest one is of no use.
        for one in dict.fromkeys((best, step)):
            if one in self._copied or one == 0:
                continue
            folder = self._folder / f"step-{one:06d}"
            if not self._remote.upload(folder, lambda: not self._is_finished):
                return
            self._copied.append(one)
            self.num_copied += 1
        kept = {*sorted(self._copied)[-self._kept :], best}
        self._remote.prune([f"step-{one:06d}" for one in kept])
        self._copied = [one for one in self._copied if one in kept]
