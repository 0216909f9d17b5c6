"""An observer that keeps the records of requests."""

from dataclasses import dataclass, field

from waiting import wait_until

from graft.monitoring.served_request import ServedRequest


@dataclass
class Recorder:
    """Keeps the records of all requests for a version, in the order of their ends."""

    records: list[ServedRequest] = field(default_factory=list)

    def observe(self, request: ServedRequest) -> None:
        if not request.route.startswith("/health/"):
            self.records.append(request)

    def wait(self, number: int = 1) -> list[ServedRequest]:
        """The records, when there are so many: they are made after the answers."""
        wait_until(lambda: len(self.records) >= number)
        return self.records
