"""`graft decide`: store a reviewer's decisions on personal data for `preprocess`."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graft import io
from graft.curation.decisions import KEY_MARK, PERSONAL, Placed, store_personal
from graft.errors import DataError

REVIEW = Path("data/review/personal_data.csv")
COLUMNS = ("key", "decision")


def run(
    review: Path = REVIEW,
    /,
    *,
    decisions: Path = Path("decisions"),
    json: bool = False,
) -> dict[str, Any] | None:
    """Store a reviewer's decisions on personal data, from the completed review file.

    The column `decision` contains yes (the finding is personal data) or no; a finding
    with an empty cell remains open. A new decision replaces an earlier decision on the
    same finding.

    Args:
        review: review file written by the stage preprocess, with its column `decision`
            filled in.
        decisions: folder of all reviewers' decisions, tracked by git.
        json: print one JSON document instead of text.
    """
    stored = store_personal(decisions, read_review(review))
    print(f"{review}: {stored.yes:,} yes, {stored.no:,} no, {stored.open:,} open")
    path = decisions / PERSONAL
    if stored.new or stored.changed:
        print(f"{path}: {stored.new:,} new, {stored.changed:,} changed")
        print(f"next:\n  dvc repro\n  git add {path}")
    elif stored.yes or stored.no:
        print(f"{path}: already contains all these decisions")
    else:
        print("nothing to store: fill in the column decision with yes or no")
    return asdict(stored) if json else None


def read_review(path: Path) -> Iterator[Placed]:
    """The rows that have a key, each with its place.

    Raises: DataError if the file is not a review file, or if a row without a key has a
        decision.
    """
    expected = "the review file of preprocess, with its column decision filled in"
    for place, row in io.read_spreadsheet(path, COLUMNS, expected=expected):
        row["key"] = row["key"].removeprefix(KEY_MARK).lower()
        if row["key"]:
            yield place, row
        elif row["decision"]:
            raise _no_key(place, row["decision"])


def _no_key(place: str, decision: str) -> DataError:
    return DataError(
        place,
        f"decision {decision!r} on a row without a key",
        expected="decisions on borderline findings, which have a key",
        fix="restore the key, or empty the cell; findings that are only flagged have "
        "no key, and preprocess.pii.actions determines their treatment",
    )
