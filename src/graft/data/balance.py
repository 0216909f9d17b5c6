"""The row balance of a stage: rows in = kept + rejected."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class RowBalance:
    """Numbers of rows into a stage, kept, and rejected by reason.

    Raises: AssertionError if they do not add up, since a row was lost.
    """

    stage: str
    rows_in: int
    kept: int
    rejected: Mapping[str, int]

    def __post_init__(self) -> None:
        lost = self.rows_in - self.kept - self.num_rejected
        if lost:
            raise AssertionError(
                f"{self.stage}: {lost} rows are neither kept nor rejected"
            )

    @property
    def num_rejected(self) -> int:
        """Number of rejects of all reasons."""
        return sum(self.rejected.values())

    def to_report(self) -> dict[str, Any]:
        """The balance for a report; reasons in alphabetical order."""
        named = dict(sorted(self.rejected.items()))
        return asdict(self) | {"rejected": named, "num_rejected": self.num_rejected}

    def __str__(self) -> str:
        line = (
            f"{self.stage}: {self.rows_in:,} rows in = {self.kept:,} kept"
            f" + {self.num_rejected:,} rejected"
        )
        reasons = sorted(self.rejected.items(), key=lambda item: (-item[1], item[0]))
        return line + named(reasons)


def named(counts: Iterable[tuple[str, int]]) -> str:
    """Counts as ` (reason 3, other 1)`; empty if there are none."""
    parts = [f"{reason} {count:,}" for reason, count in counts]
    return f" ({', '.join(parts)})" if parts else ""
