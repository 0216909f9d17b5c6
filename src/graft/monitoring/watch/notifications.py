"""Documents for a webhook of any kind: sent apart from what they tell, and again if it
fails."""

import json
import logging
import queue
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

LOGGER = logging.getLogger("graft.watch")
MOST_WAITING = 1000
ATTEMPTS = 4
TIMEOUT_S = 10.0

Send = Callable[[str, bytes], None]
"""Sends a body to an address. Raises: OSError."""


def post(url: str, body: bytes) -> None:
    """Send a JSON document. Raises: OSError if it is not accepted."""
    request = urllib.request.Request(
        url, body, {"Content-Type": "application/json", "User-Agent": "graft-watch"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_S):
        pass


class Notifications:
    """Sends documents in the order in which they came.

    Args:
        url: receives them; None: they are dropped.
        failed: called for each document that could not be sent.
        send: of one document.
        pause_s: after the first failure; twice as much after each further one.
    """

    def __init__(
        self,
        url: str | None,
        failed: Callable[[], None],
        send: Send = post,
        pause_s: float = 0.5,
    ) -> None:
        self._url, self._failed, self._send, self._pause_s = url, failed, send, pause_s
        self._waiting: queue.Queue[bytes | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __call__(self, document: Mapping[str, Any]) -> None:
        """Send a document soon. Never blocks, never raises."""
        if self._url is None:
            return
        body = json.dumps({"at_s": round(time.time(), 3), **document}, default=str)
        try:
            self._waiting.put_nowait(body.encode())
        except queue.Full:
            self._failed()

    def close(self) -> None:
        """Send what waits, then end."""
        self._waiting.put(None)
        self._thread.join(timeout=2 * TIMEOUT_S)

    def _run(self) -> None:
        while (body := self._waiting.get()) is not None:
            if not self._deliver(body):
                self._failed()

    def _deliver(self, body: bytes) -> bool:
        assert self._url is not None
        for attempt in range(ATTEMPTS):
            try:
                self._send(self._url, body)
                return True
            except (OSError, ValueError) as error:
                LOGGER.warning("notification not sent: %s", error)
                if attempt + 1 < ATTEMPTS:
                    time.sleep(self._pause_s * 2**attempt)
        return False
