"""Which requests are accepted, so that neither memory nor waiting grows without
bound."""

import math
from collections import deque
from collections.abc import Callable
from time import monotonic

from graft.serving.errors import ApiError

WINDOW_S = 30.0
"""Seconds over which the rate of the engine is measured."""
MOST_WAIT_S = 600
"""Longest `Retry-After`."""


class Admission:
    """Counts open requests and the tokens that they may need.

    Args:
        max_requests: open at once.
        max_tokens: prompts and most new tokens of all open requests.
        clock: seconds.
    Attributes:
        num_requests, num_tokens: open now.
        num_refused: since the start.
        draining: whether new requests are refused because the server ends.
    """

    def __init__(
        self,
        max_requests: int,
        max_tokens: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._max_requests, self._max_tokens, self._clock = (
            max_requests,
            max_tokens,
            clock,
        )
        self._released: deque[tuple[float, int]] = deque()
        self.num_requests = self.num_tokens = self.num_refused = 0
        self.draining = False

    def admit(self, num_tokens: int) -> Callable[[], None]:
        """Count a request as open, until the returned function is called.

        Raises: ApiError 503 while draining; 429 with the seconds until it may fit.
        """
        if self.draining:
            self.num_refused += 1
            raise ApiError(
                503,
                "the server is shutting down; send the request again",
                code="draining",
                retry_after_s=1,
            )
        over = max(
            self.num_tokens + num_tokens - self._max_tokens,
            # A request that ends gives its place and its tokens.
            (self.num_requests + 1 - self._max_requests) * self._mean_tokens(),
        )
        if over > 0:
            self.num_refused += 1
            raise ApiError(
                429,
                f"{self.num_requests} requests with {self.num_tokens} tokens are open; "
                f"at most {self._max_requests} with {self._max_tokens} are accepted",
                code="overloaded",
                retry_after_s=self.wait_s(over),
            )
        self.num_requests += 1
        self.num_tokens += num_tokens

        def release() -> None:
            self.num_requests -= 1
            self.num_tokens -= num_tokens
            self._released.append((self._clock(), num_tokens))

        return release

    def wait_s(self, num_tokens: int) -> int:
        """Whole seconds until so many tokens are released, by the measured rate."""
        now = self._clock()
        while self._released and self._released[0][0] < now - WINDOW_S:
            self._released.popleft()
        if not self._released:
            return min(MOST_WAIT_S, math.ceil(WINDOW_S))
        seconds = max(now - self._released[0][0], 1.0)
        rate = sum(tokens for _, tokens in self._released) / seconds
        return min(MOST_WAIT_S, max(1, math.ceil(num_tokens / max(rate, 1e-9))))

    def _mean_tokens(self) -> int:
        return math.ceil(self.num_tokens / max(self.num_requests, 1))


class RateLimit:
    """At most so many requests a minute of each client, as a bucket that refills.

    Args:
        per_minute: None: no limit.
        clock: seconds.
    """

    def __init__(
        self, per_minute: int | None, clock: Callable[[], float] = monotonic
    ) -> None:
        self._per_minute, self._clock = per_minute, clock
        self._spent: dict[str, tuple[float, float]] = {}

    def check(self, client: str) -> None:
        """Count a request. Raises: ApiError 429 if there were too many."""
        if self._per_minute is None:
            return
        now, rate = self._clock(), self._per_minute / 60
        spent, before = self._spent.get(client, (0.0, now))
        spent = max(0.0, spent - (now - before) * rate)
        if spent + 1 > self._per_minute:
            wait = math.ceil((spent + 1 - self._per_minute) / rate)
            raise ApiError(
                429,
                f"more than {self._per_minute} requests a minute",
                code="rate_limit_exceeded",
                retry_after_s=max(1, wait),
            )
        self._spent[client] = (spent + 1, now)
        if len(self._spent) > 10_000:  # forget clients whose buckets are full again
            self._spent = {
                name: (used, at)
                for name, (used, at) in self._spent.items()
                if used > (now - at) * rate
            }
