"""What a recogniser finds, and which of two findings that overlap is the one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from graft.config.pii import KINDS, Kind

# A checksum says more than a shape: of two that overlap the first of these wins.
_RANK: dict[Kind, int] = {
    kind: place
    for place, kind in enumerate(
        ("email", "iban", "nir", "card", "ssn", "itin", "ip", "phone", "account")
    )
}
assert set(_RANK) == set(KINDS)


@dataclass(frozen=True, slots=True)
class Finding:
    """Characters start to end of a text. `sure` is false for a borderline case."""

    kind: Kind
    start: int
    end: int
    sure: bool
    why: str


def distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Findings in the order of the text, none over another: sure before borderline,
    then by kind, then the longer one."""
    chosen: list[Finding] = []
    for one in sorted(findings, key=_order):
        if all(one.end <= other.start or other.end <= one.start for other in chosen):
            chosen.append(one)
    return sorted(chosen, key=lambda finding: finding.start)


def _order(finding: Finding) -> tuple[bool, int, int, int]:
    size = finding.end - finding.start
    return (not finding.sure, _RANK[finding.kind], -size, finding.start)


Found = Iterator[Finding]
