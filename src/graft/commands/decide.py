"""`graft decide`: what a person decided about personal data, for `preprocess`."""

from collections.abc import Iterator
from pathlib import Path

from graft import io
from graft.curation.decisions import KEY_MARK, PERSONAL, Placed, store_personal
from graft.errors import DataError

REVIEW = Path("data/review/personal_data.csv")
COLUMNS = ("key", "decision")


def run(review: Path = REVIEW, /, *, decisions: Path = Path("decisions")) -> None:
    """Store the decisions of a filled review file (data/review/personal_data.csv).

    Column `decision` takes yes (it is personal data) or no; an empty cell stays open.
    Later decisions on the same finding replace earlier ones.

    Args:
        review: the filled file.
        decisions: folder of all decisions, which git keeps.
    """
    stored = store_personal(decisions, read_review(review))
    print(f"{review}: {stored.yes:,} yes, {stored.no:,} no, {stored.open:,} open")
    path = decisions / PERSONAL
    if stored.new or stored.changed:
        print(f"{path}: {stored.new:,} new, {stored.changed:,} changed")
        print(f"then\n  dvc repro\n  git add {path}")
    elif stored.yes or stored.no:
        print(f"{path}: has them all already")
    else:
        print("nothing to store: fill the column decision with yes or no")


def read_review(path: Path) -> Iterator[Placed]:
    """The rows that have a key, each with its place.

    Raises: DataError if it is no review file, or a row without a key is decided.
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
        expected="decisions on findings that wait for one",
        fix="restore the key; or empty the cell: what is only flagged has no key, and "
        "preprocess.pii.actions says what becomes of it",
    )
