"""The key to a review: which system gave which answer. Raters never see it."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from graft import io
from graft.errors import DataError

Kind = Literal["ab", "rating"]
System = Literal["base", "tuned"]

CHOICES = ("A", "tie", "B")
GRADES = ("1", "2", "3", "4", "5")
QUESTIONS: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    "ab": {"choice": CHOICES},
    "rating": {"fluency": GRADES, "relevance": GRADES, "clarity": GRADES},
}
"""Sheet → its questions on each item → the answers one may give."""


class ShownItem(BaseModel):
    """What an item shows: the answers of `systems`, in this order, to an example.

    A pair shows two. An item of the rating sheet shows one answer, which is of both
    systems where they say the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    example: str
    stratum: str
    systems: tuple[System, ...]


class Key(BaseModel):
    """What the items of both sheets stand for, in the order that they are shown in.

    Args:
        sheet: names the review; it is on the sheets and in what raters save.
        run_id: the run that made the adapter; None if it is not known.
        seed: of the draw.
        num_predictions: that there were to draw from.
        num_identical: predictions that base and tuned model agree on; none is a pair.
        ab: pairs by their name on the sheet.
        rating: single answers by their name on the sheet.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    sheet: str
    run_id: str | None
    seed: int
    num_predictions: int
    num_identical: int
    ab: dict[str, ShownItem]
    rating: dict[str, ShownItem]

    @model_validator(mode="after")
    def _shows_both_systems(self) -> Self:
        for name, row in self.ab.items():
            if sorted(row.systems) != ["base", "tuned"]:
                raise ValueError(f"{name} shows not one answer of each system")
        rated = Counter(
            (row.example, system)
            for row in self.rating.values()
            for system in row.systems
        )
        for example, _ in rated:
            if (rated[example, "base"], rated[example, "tuned"]) != (1, 1):
                raise ValueError(f"{example} has not one rating of each system")
        return self

    def items(self, kind: Kind) -> dict[str, ShownItem]:
        """The items of one sheet."""
        return self.ab if kind == "ab" else self.rating


def write_key(path: Path, key: Key) -> None:
    """Write a key, but never over another review's: its sheets may be out there.

    Raises: DataError if another one is there.
    """
    if path.is_file() and (known := read_key(path)).sheet != key.sheet:
        raise DataError(
            str(path),
            f"is the key of another review, {known.sheet}",
            expected="no key here: without it what raters fill in cannot be read",
            fix="choose another folder: --out FOLDER, or remove this one",
        )
    # Not by write_json, which sorts: the order of the items is part of the key.
    io.write_text(path, key.model_dump_json(indent=2) + "\n")


def read_key(path: Path) -> Key:
    """Read a key. Raises: DataError if it is missing or not whole."""
    values = io.read_json(path)
    try:
        return Key.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "its items"
        raise DataError(
            str(path),
            f"not the key of a review: {place}: {first['msg']}",
            expected="the key.json that `graft review` wrote beside the sheets",
            fix="name it: --key FILE, or make the same review again",
        ) from error
