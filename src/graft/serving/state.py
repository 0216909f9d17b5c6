"""All that the routes use."""

from collections.abc import Sequence
from dataclasses import dataclass

from graft.data.convert.task import Task
from graft.monitoring.served_request import RequestObserver
from graft.serving.admission import RateLimit
from graft.serving.feedback_store import FeedbackStore
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
        observers: are told of each request when it has ended.
        feedback: None: there is no route for it.
        starts_traces: whether a request that is in no trace begins one.
        poll_s: seconds between two looks at the aliases.
    """

    task: Task
    versions: ServedVersions
    length: int
    runner: JobRunner
    keys: ApiKeys
    rates: RateLimit
    max_body_bytes: int
    observers: Sequence[RequestObserver]
    feedback: FeedbackStore | None
    starts_traces: bool
    poll_s: float
