"""Writes the request log beside the API, which never waits for it."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from graft.config.monitoring import RequestLogConfig
from graft.monitoring.names import Serving
from graft.monitoring.readings import Reading
from graft.monitoring.request_log.copying import Remote
from graft.monitoring.request_log.open_shard import OpenShard
from graft.monitoring.request_log.retention import remove_abandoned, remove_oldest
from graft.monitoring.request_log.shard import write_shard
from graft.monitoring.request_log.units import UnitDigests
from graft.monitoring.request_log.upkeep import Upkeep
from graft.monitoring.served_request import ServedRequest

LOGGER = logging.getLogger(__name__)
PROBES = "/health/"
"""Supervisors ask these every second; they are no rows."""
MAX_QUEUED = 8192
MAX_QUEUED_CHARS = 64 * 2**20
"""Of requests that wait for the writer; a token counts as a character."""
MAX_SHARD_ROWS, MAX_SHARD_BYTES = 50_000, 64 * 2**20
"""Of the open shard, which is kept in memory."""
END_S = 10.0
"""Seconds after which the writer, and then the upkeep, are given up at the end."""


class RequestRecorder:
    """A `RequestObserver` that writes a row per request.

    `observe` is called in one thread and only puts requests into a queue with a bound;
    rows are made and written in a thread of its own, and shards are merged and copied
    in a further one. What cannot be written is dropped and counted: the number of
    requests is that of rows written, dropped, and waiting.

    Args:
        folder: of the shards; made when it is needed.
        redact: replaces personal data in a text; None: texts are not kept.
        remote: to which shards are copied; None: they are not.
        write: as `write_shard`.
    """

    def __init__(
        self,
        config: RequestLogConfig,
        folder: Path,
        *,
        redact: Callable[[str], str] | None = None,
        remote: Remote | None = None,
        write: Callable[..., Any] = write_shard,
    ) -> None:
        self._config, self._folder, self._write = config, folder, write
        self._queue = SimpleQueue[ServedRequest | None]()
        self._open = OpenShard(redact, UnitDigests(folder))
        self.num_observed = self.num_written = self.num_bytes = 0
        self.num_queue_full = self.num_quota = self._num_failed = 0
        self._put_chars = self._taken_chars = 0
        self._upkeep = Upkeep(folder, remote)
        self._thread = threading.Thread(target=self._run, name="request-log")
        self._thread.daemon = True  # a disk that hangs must not keep the process
        self._thread.start()

    def observe(self, request: ServedRequest) -> None:
        """Put a request into the queue, or count it as dropped; skip a probe."""
        if request.route.startswith(PROBES):
            return
        self.num_observed += 1
        size = _size(request)
        waiting = self._put_chars - self._taken_chars
        if self._queue.qsize() >= MAX_QUEUED or waiting + size > MAX_QUEUED_CHARS:
            self.num_queue_full += 1
            return
        self._put_chars += size
        self._queue.put(request)

    @property
    def num_write_failed(self) -> int:
        """Rows that could not be made or written."""
        return self._num_failed + self._open.num_invalid

    @property
    def num_upload_failures(self) -> int:
        """Attempts to copy shards that failed."""
        return self._upkeep.num_failures

    def readings(self) -> Iterator[Reading]:
        """Values of the metrics of the request log now."""
        yield Reading(Serving.LOG_ROWS, self.num_written)
        yield Reading(Serving.LOG_DROPPED, self.num_queue_full, ("queue_full",))
        yield Reading(Serving.LOG_DROPPED, self.num_write_failed, ("write_failed",))
        yield Reading(Serving.LOG_DROPPED, self.num_quota, ("quota",))
        yield Reading(Serving.LOG_BYTES, self.num_bytes)
        yield Reading(Serving.LOG_UPLOAD_FAILURES, self.num_upload_failures)

    def close(self, timeout_s: float = END_S) -> None:
        """Write what waits, and copy it; no request may be observed any more."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            LOGGER.warning("the request log: the disk hangs; the last rows are lost")
        self._upkeep.close(timeout_s)

    def _run(self) -> None:
        end = time.monotonic() + self._config.shard_s
        while True:
            try:
                request = self._queue.get(timeout=max(0.0, end - time.monotonic()))
            except Empty:
                self._flush()
                end = time.monotonic() + self._config.shard_s
                continue
            if request is None:
                self._flush()
                return
            self._taken_chars += _size(request)
            self._open.add(request)
            is_full = (
                self._open.num_rows >= MAX_SHARD_ROWS
                or self._open.num_bytes >= MAX_SHARD_BYTES
            )
            if is_full or time.monotonic() >= end:
                self._flush()
                end = time.monotonic() + self._config.shard_s

    def _flush(self) -> None:
        """Make the rows a shard. A failure costs these rows, and is counted."""
        shard, tables = self._open.take()
        number = sum(table.num_rows for table in tables)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if number:
                self._write(self._folder, shard, tables)
                self.num_written += number
        # Of the operating system, or of Arrow.
        except Exception as error:  # pylint: disable=broad-exception-caught
            self._num_failed += number
            LOGGER.warning("the request log: %d rows are lost: %s", number, error)
        try:
            remove_abandoned(self._folder)
            copied = self._upkeep.copied
            kept = remove_oldest(self._folder, self._config.max_bytes, copied)
            self.num_bytes = kept.num_bytes
            self.num_quota += kept.num_lost
        except Exception as error:  # pylint: disable=broad-exception-caught
            LOGGER.warning("the request log: %s", error)
        if number or not self._upkeep.is_clean:
            self._upkeep.wake()


def _size(request: ServedRequest) -> int:
    texts = sum(map(len, request.completions)) + len(request.prompt or "")
    return texts + len(request.prompt_ids)
