"""Which predictions are judged, and in which order: by seed, evenly over strata."""

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import TypeVar

import numpy as np

from graft import io
from graft.evaluation.review.key import Key, ShownItem, System
from graft.evaluation.scoring import Prediction

T = TypeVar("T")
ORDERS: tuple[tuple[System, System], ...] = (("base", "tuned"), ("tuned", "base"))


def draw(
    predictions: Sequence[Prediction], number: int, seed: int, run_id: str | None
) -> Key:
    """Draw the items of both sheets.

    A pair needs two different answers. Each system comes first in half of the pairs.
    The rating sheet is drawn from all predictions, so that its means are those of the
    systems and not of hard examples; an answer that both give is rated once.

    Args:
        predictions: with different ids.
        number: of examples on each sheet; all there are if these are fewer.
        seed: not negative; equal ones make equal keys of equal predictions.
        run_id: the run that made the tuned model.
    Raises: ValueError if `number` is below 1, or `seed` below 0.
    """
    if number < 1:
        raise ValueError(f"number of examples: {number}")
    # The answers count as seed too: from a sheet, its number of items and the usual
    # seed alone, a rater cannot work out the order of the systems.
    said = {row.id: [row.base, row.tuned] for row in predictions}
    generator = np.random.default_rng([seed, int(io.digest(said), 16)])
    different = [row for row in predictions if row.base != row.tuned]
    compared = _shuffle(_draw_evenly(different, number, generator), generator)
    sides = generator.permutation(len(compared)) % 2
    pairs = [
        ShownItem(example=row.id, stratum=row.stratum, systems=ORDERS[side])
        for row, side in zip(compared, sides, strict=True)
    ]
    rated = _draw_evenly(predictions, number, generator)
    answers = [
        ShownItem(example=row.id, stratum=row.stratum, systems=systems)
        for row in rated
        for systems in _answers(row)
    ]
    key = Key(
        sheet="",
        run_id=run_id,
        seed=seed,
        num_predictions=len(predictions),
        num_identical=len(predictions) - len(different),
        ab=_name("pair", pairs),
        rating=_name("answer", _shuffle(answers, generator)),
    )
    return key.model_copy(update={"sheet": _name_review(key, [*compared, *rated])})


def _answers(row: Prediction) -> Sequence[tuple[System, ...]]:
    return [("base", "tuned")] if row.base == row.tuned else [("base",), ("tuned",)]


def _draw_evenly(
    rows: Sequence[Prediction], number: int, generator: np.random.Generator
) -> list[Prediction]:
    """As many of each stratum as of any other, while it has some."""
    strata: dict[str, list[Prediction]] = {}
    for row in _shuffle(rows, generator):
        strata.setdefault(row.stratum, []).append(row)
    rounds = chain.from_iterable(zip_longest(*strata.values()))
    return [row for row in rounds if row is not None][:number]


def _shuffle(rows: Sequence[T], generator: np.random.Generator) -> list[T]:
    return [rows[index] for index in generator.permutation(len(rows))]


def _name(word: str, shown: Sequence[ShownItem]) -> dict[str, ShownItem]:
    """Names that say nothing but the place, and that no spreadsheet takes for dates."""
    width = len(str(len(shown)))
    return {f"{word}-{place:0{width}}": row for place, row in enumerate(shown, start=1)}


def _name_review(key: Key, rows: Sequence[Prediction]) -> str:
    """Named by all that is shown: other answers or another order is another review.

    It begins with letters, since spreadsheets turn some digests into numbers.
    """
    texts = [
        [row.history, row.prompt, *row.references, row.base, row.tuned] for row in rows
    ]
    return "review-" + io.digest({"key": key.model_dump(), "texts": texts})[:10]
