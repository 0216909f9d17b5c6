"""Sums of small numbers, and the groups that keep them apart.

3 + 4 = 7, 4 + 3 = 7, 7 - 4 = 3 and 7 - 3 = 4 are one family: who knows one of them
knows all. A hash of the family gives its group. All sums of a chat are of one group,
so a split by groups tests on families that were never trained.
"""

from dataclasses import dataclass
from hashlib import blake2b

LARGEST = 30
NUM_GROUPS = 60


@dataclass(frozen=True)
class Sum:
    """left + right or left - right."""

    left: int
    sign: str
    right: int

    @property
    def result(self) -> int:
        """What it makes."""
        sign = 1 if self.sign == "+" else -1
        return self.left + sign * self.right

    @property
    def group(self) -> str:
        """The group of its family."""
        parts = (self.left if self.sign == "+" else self.result, self.right)
        name = f"{min(parts)}+{max(parts)}"
        digest = blake2b(name.encode(), digest_size=4).digest()
        return f"sums-{int.from_bytes(digest, 'big') % NUM_GROUPS:02d}"

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right} = {self.result}"


def from_start(left: int) -> list[Sum]:
    """All sums of a number, with results from 1 to LARGEST; right is at least 1."""
    more = [Sum(left, "+", right) for right in range(1, LARGEST - left + 1)]
    return more + [Sum(left, "-", right) for right in range(1, left)]


SINGLES = tuple(one for left in range(1, LARGEST + 1) for one in from_start(left))
CHAINS = tuple(
    (first, second)
    for first in SINGLES
    for second in from_start(first.result)
    if first.group == second.group and first.result != second.right
)
"""Two sums of one group, the second going on from the first."""
