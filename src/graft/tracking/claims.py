"""Exclusive claims in a tracking store that has no locks.

A claim is an empty registered model: every store creates one name once only, since the
name is the key of its table. The name contains a number that increases with what the
claim protects, so that a claim that was left behind, or is taken late, protects nothing
any more (a fencing token; docs/adr/0026-promotion-gate.md).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from graft.errors import TrackingError
from graft.tracking.client import StoreClient

LEASE_S = 60.0
"""A claim that was watched for so long is left behind by a process that has ended."""
POLL_S = 0.1
EXISTS, MISSING = "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"
DESCRIPTION = (
    "A decision on a version is being written (graft promote, graft rollback). "
    "It is deleted in a moment; if the process was killed, delete it."
)


@dataclass
class Claims:
    """Claims of one name.

    No clock of another machine is compared: whoever waits measures how long it has
    seen the same claim.
    """

    store: StoreClient
    name: str
    lease_s: float = LEASE_S
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _seen: dict[tuple[str, int], float] = field(default_factory=dict)

    @contextmanager
    def claim(self, number: int) -> Iterator["Claim | None"]:
        """Claim a number. None if another process had it, and has given it back."""
        names = [self._to_name(number, 0)]
        while not self._create(names[-1]):
            if not self._is_held(names[-1]):
                yield None
                return
            names.append(self._to_name(number, len(names)))
        claim = Claim(self.clock() + self.lease_s / 2, self.clock)
        try:
            yield claim
        finally:
            # While the number is the same, an older claim that was left behind must
            # keep its place, or a third process would create it again.
            for name in names if claim.is_used else names[-1:]:
                self._delete(name)

    def _to_name(self, number: int, level: int) -> str:
        return f"{self.name}.claim-{number}" + (f".{level}" if level else "")

    def _create(self, name: str) -> bool:
        with self.store.querying():
            try:
                self.store.client.create_registered_model(name, None, DESCRIPTION)
            except Exception as error:
                if getattr(error, "error_code", "") == EXISTS:
                    return False
                raise
        return True

    def _is_held(self, name: str) -> bool:
        """Wait until a claim is given back (False), or its lease has ended (True)."""
        while (created := self._created_ms(name)) is not None:
            now = self.clock()
            if now - self._seen.setdefault((name, created), now) > self.lease_s:
                return True
            self.sleep(POLL_S)
        return False

    def _created_ms(self, name: str) -> int | None:
        with self.store.querying():
            try:
                found: Any = self.store.client.get_registered_model(name)
            except Exception as error:
                if getattr(error, "error_code", "") == MISSING:
                    return None
                raise
        return int(found.creation_timestamp)

    def _delete(self, name: str) -> None:
        """Delete a claim; one of another user may stay, and protects nothing."""
        with suppress(TrackingError), self.store.querying():
            self.store.client.delete_registered_model(name)


@dataclass
class Claim:
    """A claim that this process holds. `is_used` is set once its number is spent."""

    ends_at: float
    clock: Callable[[], float]
    is_used: bool = False

    def check(self) -> None:
        """Raises: TrackingError if the claim may soon be regarded as left behind."""
        if self.clock() > self.ends_at:
            raise TrackingError(
                "the decision log",
                "the tracking store took too long",
                expected=f"less than {LEASE_S / 2:.0f} s to write a decision",
                fix="nothing was changed; run this again",
            )
