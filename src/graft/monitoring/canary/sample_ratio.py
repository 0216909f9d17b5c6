"""Whether the canary gets its share of the clients (sample ratio mismatch).

Each client is in the canary with the configured probability. If many more or fewer are,
then clients are not assigned as configured or some are missing from the log, and the
groups cannot be compared. Source: Lindon and Malek 2022, "Anytime-Valid Inference for
Multinomial Count Data", NeurIPS 35 (arXiv 2011.03567), for two groups.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaln  # pylint: disable=no-name-in-module

from graft.monitoring.canary.evidence import Array
from graft.monitoring.canary.traffic import Traffic

PRIOR_CLIENTS = 100.0
"""The alternative's prior is worth so many clients: its shares deviate by some points.
Any number is valid."""


@dataclass(frozen=True)
class SampleRatio:
    """Clients of the groups.

    Args:
        canary, clients: those that the canary has answered, and all.
        share: that is configured.
        evidence: decimal logarithm of the e-value against it.
    """

    canary: int
    clients: int
    share: float
    evidence: float

    @property
    def sentence(self) -> str:
        """The counts and the shares."""
        found = self.canary / max(self.clients, 1)
        return (
            f"{self.canary:,} of {self.clients:,} clients are in the canary, "
            f"{100 * found:.1f} %; configured {100 * self.share:g} %"
        )


def sample_ratio(traffic: Traffic, share: float) -> SampleRatio | None:
    """Count the clients whose unit is known; None if there are none.

    A client of both groups counts as the canary's. The client with whom the comparison
    begins is left out: its group was not drawn.

    Args:
        share: of clients in the canary, above 0 and below 1.
    """
    known = traffic.where(traffic.has_unit)
    if len(known) == 0:
        return None
    opener = known.client[known.time_ms.argmin()]
    clients = np.unique(known.client[known.client != opener])
    in_canary = np.unique(known.client[known.group == "canary"])
    number, canary = len(clients), int(np.isin(clients, in_canary).sum())
    evidence = float(log_e_share(np.float64(canary), np.float64(number), share))
    return SampleRatio(canary, number, share, evidence / np.log(10.0))


def log_e_share(
    canary: Array | np.float64, clients: Array | np.float64, share: float
) -> npt.NDArray[np.float64]:
    """Log e-value against "each client is in the canary with this probability": the
    likelihood of a Beta-distributed share to that of the configured one. [...]"""
    prior = PRIOR_CLIENTS * share, PRIOR_CLIENTS * (1 - share)
    rest = clients - canary
    mixed = betaln(prior[0] + canary, prior[1] + rest) - betaln(*prior)
    fixed = canary * np.log(share) + rest * np.log1p(-share)
    return np.asarray(mixed - fixed, np.float64)
