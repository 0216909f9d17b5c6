"""The request log of `graft serve`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from graft.cloud.remote_folder import RemoteFolder
from graft.config.monitoring import RequestLogConfig
from graft.monitoring.request_log.recorder import RequestRecorder
from graft.serving.guards.personal_data import recogniser


@contextmanager
def open_request_log(config: RequestLogConfig) -> Iterator[RequestRecorder | None]:
    """The configured request log, None if there is none; all its rows are written at
    the end of the block.

    Raises: ConfigError if a region has no numbering plan.
    """
    if config.folder is None:
        yield None
        return
    log = RequestRecorder(
        config,
        Path(config.folder),
        redact=to_redact(config.regions) if config.texts else None,
        remote=RemoteFolder(config.remote) if config.remote else None,
    )
    try:
        yield log
    finally:
        log.close()


def to_redact(regions: list[str]) -> Callable[[str], str]:
    """Replaces personal data in a text by the name of its kind, such as [EMAIL].

    Raises: ConfigError if a region has no numbering plan.
    """
    find = recogniser(regions, "monitoring.request_log.regions")

    def redact(text: str) -> str:
        parts, end = [], 0
        for kind, start, stop in find(text):
            parts += [text[end:start], f"[{kind.upper()}]"]
            end = stop
        return "".join([*parts, text[end:]])

    return redact
