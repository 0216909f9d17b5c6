"""What users say about answers, as JSON Lines."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from graft import io
from graft.errors import DataError

FILE = "feedback.jsonl"
Verdict = Literal["good", "bad"]


class RatedAnswer(BaseModel):
    """What a user says about the answer to a request.

    Args:
        time_ms: UTC, since 1970.
        request: id of the request, by which the request log is joined.
        client: name of the API key.
        version: `NAME/NUMBER` if the server still remembers it.
        correction: a better answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    time_ms: int
    request: str
    client: str | None
    version: str | None
    verdict: Verdict
    correction: str | None = None
    comment: str | None = None


def read_feedback(
    folder: Path, *, since_ms: int = 0, until_ms: int = 2**62
) -> Iterator[RatedAnswer]:
    """Feedback of a time, as it came; nothing if there is none yet.

    Raises: DataError that names a broken line; StorageError.
    """
    path = folder / FILE
    if not path.is_file():
        return
    for where, value in io.read_json_lines(path):
        try:
            rated = RatedAnswer.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            raise DataError(
                where,
                f"no feedback: {'.'.join(map(str, first['loc']))}: {first['msg']}",
                expected="a line that the route /v1/feedback wrote",
                fix="correct or remove the line",
            ) from error
        if since_ms <= rated.time_ms < until_ms:
            yield rated


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """Append an object to JSON Lines: the whole line, or nothing.

    Processes may do so at the same time. The file is readable by its owner alone. A
    line that a killed process left unfinished is ended first. Half characters (lone
    surrogates) become question marks.

    Raises: StorageError.
    """
    line = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            _append(file, line)
        finally:
            os.close(file)
    except OSError as error:
        raise io.storage_error(path, error) from error


def _append(file: int, line: bytes) -> None:
    size = os.fstat(file).st_size
    if size and os.pread(file, 1, size - 1) != b"\n":
        line = b"\n" + line
    try:
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    except OSError:
        os.ftruncate(file, size)
        raise
