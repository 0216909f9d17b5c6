"""Repairs of whole conversations, until nothing is left to repair."""

import polars as pl

from graft.config import PreprocessConfig
from graft.data.preprocess.markup import are_technical
from graft.data.preprocess.normalize import are_suspect, repairs

_MAX_ROUNDS = 8
"""Two are usual; more are needed where one repair makes another one necessary."""


def repair(
    turns: pl.DataFrame, others: pl.DataFrame, config: PreprocessConfig
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Repaired turns, and the number of rows that each repair changed. Idempotent.

    Args:
        turns: of `turns.unfold`, or other texts with columns row and content.
        others: further texts of the same rows. If one text of a row is technical, all
            of them keep their tags and white space.
    """
    chosen = {kind: repairs(config, technical=kind) for kind in (False, True)}
    changed = {name: [turns["row"].head(0)] for name in repairs(config)}
    places = are_suspect(turns["content"]).arg_true()
    for _ in range(_MAX_ROUNDS):
        if places.is_empty():
            break
        rows, before = turns["row"].gather(places), turns["content"].gather(places)
        technical = rows.is_in(_technical_rows(rows, [turns, others]).implode())
        after = before.clone()
        for kind, steps in chosen.items():
            mine = (technical == kind).arg_true()
            if mine.is_empty():
                continue
            texts = before.gather(mine)
            for name, step in steps.items():
                repaired = step(texts)
                changed[name].append(rows.gather(mine).filter(texts != repaired))
                texts = repaired
            after = after.scatter(mine, texts)
        content = turns["content"].clone().scatter(places, after)
        turns = turns.with_columns(content=content)
        again = rows.filter(before != after).unique()
        places = places.filter(rows.is_in(again.implode()) & are_suspect(after))
    return turns, {name: pl.concat(rows).n_unique() for name, rows in changed.items()}


def _technical_rows(rows: pl.Series, frames: list[pl.DataFrame]) -> pl.Series:
    """Which of these rows have a technical text in one of the frames."""
    wanted = pl.col("row").is_in(rows.unique().implode())
    texts = pl.concat(frame.filter(wanted).select("row", "content") for frame in frames)
    return texts["row"].filter(are_technical(texts["content"])).unique()
