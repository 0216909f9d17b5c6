"""One metric of both groups: its sums by client, the excess of the canary, evidence.

Requests of one client are alike, and a client is in one group only, so clients are
what was drawn: variances are those of sums over clients (the sandwich estimator of
Liang and Zeger 1986, Biometrika 73). They are never taken below those of independent
requests. Shapes: [..., clients] and [...].
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from graft.monitoring.canary.evidence import Array, log_e_normal
from graft.monitoring.canary.rates import log_e_rates

Kind = Literal["rate", "log"]
"""A share of requests, or the mean of logarithms."""
RESOLUTION = 0.05
"""Least standard deviation of a logarithm: latencies of equal length say no more."""
MIN_VALUES = 20
"""Of each group, below which the mean of logarithms has no evidence."""
SCALE = {"rate": 0.05, "log": 0.3}
"""Excess of an unhealthy canary, by which evidence for it is weighed."""


@dataclass(frozen=True)
class Sums:
    """Of one metric in one group.

    Args:
        number, y, x: by client: values, their sum, and the sum of a covariate.
        yy, xy, xx: sums of products over all clients.
    """

    number: Array
    y: Array
    x: Array
    yy: Array
    xy: Array
    xx: Array

    @classmethod
    def of(cls, y: Array, x: Array, clients: np.ndarray) -> "Sums":
        """Of values with the index of the client of each."""
        by_client = [np.bincount(clients, weights=w) for w in (np.ones(len(y)), y, x)]
        products = [
            np.asarray((one * two).sum()) for one, two in ((y, y), (x, y), (x, x))
        ]
        number, sum_y, sum_x = (np.asarray(one, np.float64) for one in by_client)
        return cls(number, sum_y, sum_x, *products)

    @property
    def total(self) -> Array:
        """Number of values."""
        return np.asarray(self.number.sum(-1))

    @property
    def clients(self) -> Array:
        """How many clients with equally many requests would say as much (Kish)."""
        squares = (self.number**2).sum(-1)
        return np.asarray(self.total**2 / np.maximum(squares, 1.0))

    def within(self) -> tuple[Array, Array]:
        """Sums of products about the means: x with y, and x with x."""
        total = np.maximum(self.total, 1.0)
        x, y = self.x.sum(-1), self.y.sum(-1)
        return np.asarray(self.xy - x * y / total), np.asarray(self.xx - x * x / total)


@dataclass(frozen=True)
class Estimate:
    """The canary's mean less the champion's, at equal covariates.

    Args:
        variance: of the excess, with clients as what was drawn.
        plain_variance: with requests as what was drawn.
        df: degrees of freedom of `variance` (Welch and Satterthwaite).
        clients: of the group with fewer.
    """

    kind: Kind
    canary: Sums
    main: Sums
    excess: Array
    variance: Array
    plain_variance: Array
    df: Array
    clients: Array

    def worse(self, at: float, min_clients: int) -> Array:
        """Log evidence that the excess is above `at`.

        With fewer clients, requests are taken as independent: a broken canary has to
        be found although nobody can tell its faults from those of its clients.
        """
        few = self.clients < min_clients
        variance = np.where(few, self.plain_variance, self.variance)
        df = np.where(few, self._requests - 2, self.df)
        scale = SCALE[self.kind]
        robust = log_e_normal(self.excess - at, variance, df, scale)
        if self.kind == "log":
            return np.where(self._is_enough, robust, 0.0)
        exact = self._rates(self.canary, self.main, at)
        return np.where(few, exact, np.minimum(exact, robust))

    def not_worse(self, at: float, min_clients: int) -> Array:
        """Log evidence that the excess is below `at`; none with fewer clients."""
        scale = max(abs(at), 0.01)
        robust = log_e_normal(at - self.excess, self.variance, self.df, scale)
        if self.kind == "rate":
            robust = np.minimum(robust, self._rates(self.main, self.canary, -at))
        is_enough = self._is_enough & (self.clients >= min_clients)
        return np.where(is_enough, robust, 0.0)

    @property
    def _requests(self) -> Array:
        return np.asarray(self.canary.total + self.main.total)

    @property
    def _is_enough(self) -> npt.NDArray[np.bool_]:
        fewest = np.minimum(self.canary.total, self.main.total)
        return np.asarray(fewest >= MIN_VALUES)

    @staticmethod
    def _rates(first: Sums, second: Sums, at: float) -> Array:
        bad, other = first.y.sum(-1), second.y.sum(-1)
        return log_e_rates(bad, first.total, other, second.total, at)


def estimate(kind: Kind, canary: Sums, main: Sums, sign: int = 1) -> Estimate:
    """Compare two groups.

    Args:
        sign: -1 if less is worse.
    """
    xy, xx = (
        one + two for one, two in zip(canary.within(), main.within(), strict=True)
    )
    slope = np.where(xx > 1e-9, xy / np.maximum(xx, 1e-9), 0.0)
    parts = [_mean(kind, group, slope) for group in (canary, main)]
    (mean, *of_canary), (other, *of_main) = parts
    variance, plain = of_canary[0] + of_main[0], of_canary[1] + of_main[1]
    clients = np.minimum(canary.clients, main.clients)
    df = variance**2 / sum(
        one[0] ** 2 / np.maximum(group.clients - 1, 1e-3)
        for one, group in ((of_canary, canary), (of_main, main))
    )
    excess = sign * (mean - other)
    return Estimate(kind, canary, main, excess, variance, plain, df, clients)


def _mean(kind: Kind, sums: Sums, slope: Array) -> tuple[Array, Array, Array]:
    """Mean, variance by clients, variance by requests."""
    total = np.maximum(sums.total, 1.0)
    by_client = sums.y - slope[..., None] * sums.x
    mean = by_client.sum(-1) / total
    deviations = by_client - mean[..., None] * sums.number
    active = np.maximum((sums.number > 0).sum(-1), 2)
    sandwich = (deviations**2).sum(-1) * active / (active - 1) / total**2
    if kind == "rate":
        smoothed = (sums.y.sum(-1) + 0.5) / (total + 1)
        plain = smoothed * (1 - smoothed) / total
    else:
        y = sums.y.sum(-1)
        xy, xx = sums.within()
        squares = sums.yy - y**2 / total - 2 * slope * xy + slope**2 * xx
        spread = np.maximum(squares, 0) / np.maximum(total - 1, 1)
        plain = np.maximum(spread, RESOLUTION**2) / total
    return mean, np.maximum(sandwich, plain), np.asarray(plain)
