"""`graft decide`: store a reviewer's decisions on personal data for `preprocess`."""

from collections.abc import Iterator
from pathlib import Path

from graft import io
from graft.curation.decisions import KEY_MARK, PERSONAL, Placed, store_personal
from graft.errors import DataError

REVIEW = Path("data/review/personal_data.csv")
COLUMNS = ("key", "decision")


def run(review: Path = REVIEW, /, *, decisions: Path = Path("decisions")) -> None:
    """Store the decisions of a filled review file (data/review/personal_data.csv).

    Column `decision` contains yes (it is personal data) or no; an empty cell stays
    open. Later decisions on the same finding replace earlier ones.

    Args:
        review: the filled file.
        decisions: folder of all decisions, tracked by git.
    """
    stored = store_personal(decisions, read_review(review))
    print(f"{review}: {stored.yes:,} yes, {stored.no:,} no, {stored.open:,} open")
    path = decisions / PERSONAL
    if stored.new or stored.changed:
        print(f"{path}: {stored.new:,} new, {stored.changed:,} changed")
        print(f"then\n  dvc repro\n  git add {path}")
    elif stored.yes or stored.no:
        print(f"{path}: already has all of them")
    else:
        print("nothing to store: fill the column decision with yes or no")


def read_review(path: Path) -> Iterator[Placed]:
    """The rows that have a key, each with its place.

    Raises: DataError if it is not a review file, or a row without a key has a decision.
    """
    expected = "the review file of preprocess, its column decision filled in"
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
        fix="restore the key, or empty the cell: findings that are only flagged have "
        "no key; preprocess.pii.actions sets their treatment",
    )
