"""The rows of the request log that are not yet in a shard."""

import logging
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from graft.monitoring.features import to_features
from graft.monitoring.request_log.schema import SCHEMA, Texts, to_row
from graft.monitoring.request_log.shard import Shard
from graft.monitoring.served_request import ServedRequest

LOGGER = logging.getLogger(__name__)
ROWS_PER_TABLE = 128
"""Rows are converted in small steps: each takes the interpreter's lock for a while."""
MAX_TEXT_CHARS = 32_768
"""Of a prompt or a completion that is kept."""
FEATURE_SHARE = 0.01
"""Most of a processor's time that the features of prompts take."""
FEATURE_BURST_S = 0.5
"""Time that they may take at once after a pause."""


class TimeBudget:
    """A share of the time, which may be saved up.

    Args:
        share: of the time that passes.
        burst_s: most that is saved.
        clock: seconds.
    """

    def __init__(
        self, share: float, burst_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._share, self._burst_s, self._clock = share, burst_s, clock
        self._saved_s, self._last = burst_s, clock()

    def has_time(self) -> bool:
        """Whether something may be done now."""
        now = self._clock()
        self._saved_s += self._share * (now - self._last)
        self._saved_s, self._last = min(self._saved_s, self._burst_s), now
        return self._saved_s > 0

    def spend(self, seconds: float) -> None:
        """Something took this long."""
        self._saved_s -= seconds


class OpenShard:
    """Rows in memory.

    Args:
        redact: replaces personal data in a text that is kept; None: texts are not kept.
        to_unit: the digest of what the version was chosen by; None if there is none.
    """

    def __init__(
        self,
        redact: Callable[[str], str] | None,
        to_unit: Callable[[str], str | None],
    ) -> None:
        self._redact, self._to_unit = redact, to_unit
        self._budget = TimeBudget(FEATURE_SHARE, FEATURE_BURST_S)
        self._rows: list[dict[str, Any]] = []
        self._tables: list[pa.Table] = []
        self._first_ms, self._last_ms = 2**62, 0
        self.num_rows = self.num_bytes = self.num_invalid = 0

    def add(self, request: ServedRequest) -> None:
        """Add the row of a request. A row that cannot be made counts as invalid: one
        request must not end the log of all others."""
        try:
            self._rows.append(self._to_row(request))
        except Exception:  # pylint: disable=broad-exception-caught
            self.num_invalid += 1
            LOGGER.exception("the request log: a row cannot be made")
            return
        self._first_ms = min(self._first_ms, request.time_ms)
        self._last_ms = max(self._last_ms, request.time_ms)
        self.num_rows += 1
        if len(self._rows) == ROWS_PER_TABLE:
            self._convert()

    def take(self) -> tuple[Shard, list[pa.Table]]:
        """A name for the rows, and the rows, which are not here any more."""
        self._convert()
        taken = Shard.new(self._first_ms, self._last_ms, 0), self._tables
        self._tables, self.num_rows, self.num_bytes = [], 0, 0
        self._first_ms, self._last_ms = 2**62, 0
        return taken

    def _convert(self) -> None:
        rows, self._rows = self._rows, []
        try:
            table = pa.Table.from_pylist(rows, SCHEMA)
        except Exception:  # pylint: disable=broad-exception-caught
            self.num_rows -= len(rows)
            self.num_invalid += len(rows)
            LOGGER.exception("the request log: %d rows cannot be made", len(rows))
            return
        self._tables.append(table)
        self.num_bytes += table.nbytes

    def _to_row(self, request: ServedRequest) -> dict[str, Any]:
        unit = None if request.unit is None else self._to_unit(request.unit)
        if request.prompt is None:
            return to_row(request, None, None, unit)
        prompt, features, texts = _whole(request.prompt), None, None
        if self._budget.has_time():
            start = time.thread_time()
            features = to_features(prompt, request.prompt_ids)
            self._budget.spend(time.thread_time() - start)
        if self._redact is not None:
            completions = map(self._redact, map(_whole, request.completions))
            texts = Texts(
                self._redact(prompt)[:MAX_TEXT_CHARS],
                [text[:MAX_TEXT_CHARS] for text in completions],
            )
        return to_row(request, features, texts, unit)


def _whole(text: str) -> str:
    """The text with `?` for half characters (lone surrogates), which UTF-8 lacks."""
    return text.encode("utf-8", "replace").decode()
