"""Keeps and counts what users say about answers."""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from pathlib import Path
from time import time

from graft import io
from graft.errors import StorageError
from graft.monitoring.feedback import FILE, RatedAnswer, append_line
from graft.monitoring.names import Serving
from graft.monitoring.readings import Reading
from graft.monitoring.served_request import ServedRequest
from graft.serving.schemas import FeedbackRequest

REMEMBERED = 100_000
"""Requests whose versions are remembered; the request log knows those of older ones."""
_PREFIXES = ("chatcmpl-", "cmpl-")
"""Of the ids of answers, before that of the request."""


class FeedbackStore:
    """A file that only grows, up to a limit. It observes requests, to know which
    version gave an answer.

    Args:
        folder: of the file; made when it is needed.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = folder / FILE, max_bytes
        self._versions = OrderedDict[str, str]()
        self._counts = Counter[tuple[str, str]]()

    def observe(self, request: ServedRequest) -> None:
        """Remember the version of a request."""
        if request.version is None or request.group == "shadow":
            return
        self._versions[request.id] = request.version
        if len(self._versions) > REMEMBERED:
            self._versions.popitem(last=False)

    def to_rated(self, body: FeedbackRequest, client: str | None) -> RatedAnswer:
        """The line for the body of a request."""
        request = body.request
        for prefix in _PREFIXES:
            request = request.removeprefix(prefix)
        return RatedAnswer(
            time_ms=round(time() * 1000),
            request=request,
            client=client,
            version=self._versions.get(request),
            verdict=body.verdict,
            correction=body.correction,
            comment=body.comment,
        )

    def add(self, rated: RatedAnswer) -> None:
        """Write a line. It waits for the disk.

        Raises: StorageError if the disk or the file is full.
        """
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            size = 0
        except OSError as error:
            raise io.storage_error(self._path, error) from error
        if size >= self._max_bytes:
            raise StorageError(
                str(self._path),
                f"has {size} bytes",
                expected=f"less than {self._max_bytes}: monitoring.feedback.max_bytes",
                fix="move the file away, or raise the limit",
            )
        append_line(self._path, rated.model_dump())

    def count(self, rated: RatedAnswer) -> None:
        """Count a line that is written, if its version is known."""
        if rated.version is not None:
            self._counts[rated.version, rated.verdict] += 1

    def readings(self) -> Iterator[Reading]:
        """Values of the metrics of feedback now."""
        for labels, number in list(self._counts.items()):
            yield Reading(Serving.FEEDBACK, number, labels)
