"""The key of a review: which system gave which answer. Raters never see it."""

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
"""Sheet → its questions about each item → the allowed answers."""


class ShownItem(BaseModel):
    """An item: the answers of `systems`, in this order, to an example.

    A pair shows two answers. An item of the rating sheet shows one, which belongs to
    both systems if their answers are equal.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    example: str
    stratum: str
    systems: tuple[System, ...]


class Key(BaseModel):
    """The items of both sheets, in the order in which they are shown.

    Args:
        sheet: name of the review, on the sheets and in saved files.
        run_id: the run that trained the adapter; None if unknown.
        seed: of the sample.
        num_predictions: predictions that were sampled from.
        num_identical: predictions with equal answers of both systems; not used as
            pairs. ab: pairs, by their name on the sheet. rating: single answers, by
            their name on the sheet.
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
                raise ValueError(f"{name} does not show one answer of each system")
        rated = Counter(
            (row.example, system)
            for row in self.rating.values()
            for system in row.systems
        )
        for example, _ in rated:
            if (rated[example, "base"], rated[example, "tuned"]) != (1, 1):
                raise ValueError(f"{example} does not have one rating of each system")
        return self

    def items(self, kind: Kind) -> dict[str, ShownItem]:
        """The items of one sheet."""
        return self.ab if kind == "ab" else self.rating


def write_key(path: Path, key: Key) -> None:
    """Write a key, but never overwrite that of another review, whose sheets may be in
    use.

    Raises: DataError if there is the key of another review.
    """
    if path.is_file() and (known := read_key(path)).sheet != key.sheet:
        raise DataError(
            str(path),
            f"is the key of another review, {known.sheet}",
            expected="no key at this path; without its key, a review cannot be scored",
            fix="choose another folder: --out FOLDER, or remove this one",
        )
    # write_json would sort the items, but their order is part of the key.
    io.write_text(path, key.model_dump_json(indent=2) + "\n")


def read_key(path: Path) -> Key:
    """Read a key. Raises: DataError if it is missing or invalid."""
    values = io.read_json(path)
    try:
        return Key.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "its items"
        raise DataError(
            str(path),
            f"not the key of a review: {place}: {first['msg']}",
            expected="the key.json that `graft review` wrote with the sheets",
            fix="pass it with --key FILE, or create the same review again",
        ) from error
