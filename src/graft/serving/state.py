"""All that the routes use."""

from dataclasses import dataclass

from graft.data.convert.task import Task
from graft.serving.admission import RateLimit
from graft.serving.keys import ApiKeys
from graft.serving.responses import JobRunner
from graft.serving.versions import ServedVersions


@dataclass(frozen=True)
class Server:
    """A server, before or while it runs.

    Args:
        task: of the versions.
        versions: what answers.
        length: most tokens of a prompt with its completion.
        max_body_bytes: size of a request.
        log_texts: whether completions are logged.
        poll_s: seconds between two looks at the aliases.
    """

    task: Task
    versions: ServedVersions
    length: int
    runner: JobRunner
    keys: ApiKeys
    rates: RateLimit
    max_body_bytes: int
    log_texts: bool
    poll_s: float
