"""Sample the predictions that raters judge, evenly over strata, and their order."""

from collections.abc import Sequence
from itertools import chain, zip_longest
from typing import TypeVar

import numpy as np

from graft import io
from graft.evaluation.review.key import Key, ShownItem, System
from graft.records import Prediction

T = TypeVar("T")
ORDERS: tuple[tuple[System, System], ...] = (("base", "tuned"), ("tuned", "base"))


def sample_items(
    predictions: Sequence[Prediction], number: int, seed: int, run_id: str | None
) -> Key:
    """Sample the items of both sheets.

    The pairs consist of two different answers, and each system comes first in half of
    them. The rating sheet is sampled from all predictions, so that its means are
    unbiased; if both systems give the same answer, it is rated once.

    Args:
        predictions: with unique ids.
        number: of examples on each sheet, at most.
        seed: not negative; equal seeds give equal keys for equal predictions.
        run_id: the run that trained the tuned model.
    Raises: ValueError if `number` is below 1, or `seed` below 0.
    """
    if number < 1:
        raise ValueError(f"number of examples: {number}")
    # The answers are part of the seed, so a rater who knows the default seed cannot
    # reconstruct the order of the systems from a sheet.
    answers_of = {row.id: [row.base, row.tuned] for row in predictions}
    generator = np.random.default_rng([seed, int(io.digest(answers_of), 16)])
    different = [row for row in predictions if row.base != row.tuned]
    compared = _shuffle(_sample_evenly(different, number, generator), generator)
    sides = generator.permutation(len(compared)) % 2
    pairs = [
        ShownItem(example=row.id, stratum=row.stratum, systems=ORDERS[side])
        for row, side in zip(compared, sides, strict=True)
    ]
    rated = _sample_evenly(predictions, number, generator)
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


def _sample_evenly(
    rows: Sequence[Prediction], number: int, generator: np.random.Generator
) -> list[Prediction]:
    """Equally many of each stratum, as far as possible."""
    strata: dict[str, list[Prediction]] = {}
    for row in _shuffle(rows, generator):
        strata.setdefault(row.stratum, []).append(row)
    rounds = chain.from_iterable(zip_longest(*strata.values()))
    return [row for row in rounds if row is not None][:number]


def _shuffle(rows: Sequence[T], generator: np.random.Generator) -> list[T]:
    return [rows[index] for index in generator.permutation(len(rows))]


def _name(word: str, shown: Sequence[ShownItem]) -> dict[str, ShownItem]:
    """Names that contain only the position, and that spreadsheets do not read as
    dates."""
    width = len(str(len(shown)))
    return {f"{word}-{place:0{width}}": row for place, row in enumerate(shown, start=1)}


def _name_review(key: Key, rows: Sequence[Prediction]) -> str:
    """A name with a digest of everything that is shown.

    It begins with letters, because spreadsheets read some digests as numbers.
    """
    texts = [
        [row.history, row.prompt, *row.references, row.base, row.tuned] for row in rows
    ]
    return "review-" + io.digest({"key": key.model_dump(), "texts": texts})[:10]
