"""The findings of recognisers, and which of two overlapping findings is kept."""

from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graft.config.pii import Kind

# Of two overlapping findings the first kind wins: a checksum is stronger evidence than
# a pattern.
_RANKED = "email iban nir card ssn itin ip phone account".split()


@dataclass(frozen=True, slots=True)
class Finding:
    """Characters start to end of a text. `sure` is false for a borderline case."""

    kind: Kind
    start: int
    end: int
    sure: bool
    why: str


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of the text without overlaps: a sure one is kept before a
    borderline one, then by kind, then the longer one."""
    chosen: list[Finding] = []
    for one in sorted(findings, key=_order):
        at = bisect(chosen, one.start, key=lambda other: other.start)
        before, after = chosen[max(0, at - 1) : at], chosen[at : at + 1]
        if all(other.end <= one.start for other in before) and all(
            one.end <= other.start for other in after
        ):
            chosen.insert(at, one)
    return chosen


def _order(finding: Finding) -> tuple[bool, int, int, int]:
    size = finding.end - finding.start
    return (not finding.sure, _RANKED.index(finding.kind), -size, finding.start)


Found = Iterator[Finding]
