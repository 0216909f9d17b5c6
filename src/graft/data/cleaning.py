"""Cleaning of a stream of batches: repairs, rules, then duplicates over all of them.

Two passes. `first_pass` repairs texts and marks what a rule drops; it keeps a key of
each row left, and no text. When all keys are known, `second_pass` marks duplicates.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property

import polars as pl
import pyarrow as pa

from graft.config import PreprocessConfig
from graft.data.columns import to_frame, to_table
from graft.data.dedup import repeats, to_keys
from graft.data.filters import Rule, rules
from graft.data.normalize import repairs
from graft.data.turns import fold, sides, unfold
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA

MARKED_SCHEMA = pa.schema(
    [*EXAMPLE_SCHEMA, pa.field("reason", pa.string()), pa.field("value", pa.string())]
)
"""Examples, and why they are dropped; null for those that are kept."""
DUPLICATE = Rule(
    "duplicate",
    pl.lit(False),
    pl.lit(""),
    "messages that no other example has",
    "nothing to do; or set preprocess.drop_duplicates to false",
)


class Cleaning:
    """One run over a source, and its account.

    `changed` counts examples by the repair that changed them, `reasons` those dropped.
    """

    def __init__(self, config: PreprocessConfig) -> None:
        self._config = config
        self._repairs = repairs(config)
        self._rules = rules(config)
        self._keys: list[pl.DataFrame] = []
        self.rows_in = 0
        self.changed: Counter[str] = Counter(dict.fromkeys(self._repairs, 0))
        self.reasons: Counter[str] = Counter()

    def first_pass(self, batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Tables of MARKED_SCHEMA: repaired, and marked by the rules."""
        for table in batches:
            batch = to_frame(table)
            self.rows_in += batch.height
            turns = self._repair(unfold(batch))
            said = sides(turns)
            batch = batch.with_columns(
                fold(turns),
                self._references(batch["references"]),
                _groups(batch["group"], said),
            )
            batch = pl.concat([batch, said.select(*self._marks())], how="horizontal")
            kept = batch["reason"].is_null()
            self._keys.append(
                to_keys(said["whole"].filter(kept), batch["split"].filter(kept))
            )
            yield to_table(batch, MARKED_SCHEMA)

    @cached_property
    def _numbers(self) -> pl.Series:
        """Of each row that the rules keep: how many equals stand before it."""
        return repeats(pl.concat(self._keys)) if self._keys else pl.Series()

    def second_pass(self, batches: Iterable[pa.Table]) -> Iterator[pl.DataFrame]:
        """Frames of MARKED_SCHEMA: duplicates are marked too, or numbered."""
        numbers = self._numbers
        at = 0
        for table in batches:
            batch = to_frame(table)
            kept = batch["reason"].is_null()
            number = numbers.slice(at, int(kept.sum()))
            at += len(number)
            places = kept.arg_true()
            order = pl.zeros(batch.height, number.dtype, eager=True)
            batch = batch.with_columns(order.scatter(places, number).alias("order"))
            again = pl.col("order") > 0
            if self._config.drop_duplicates:
                mark = pl.when(again).then(pl.lit(DUPLICATE.reason))
                yield batch.with_columns(reason=pl.coalesce("reason", mark))
            else:
                numbered = pl.format("{}-{}", "id", pl.col("order") + 1)
                yield batch.with_columns(
                    id=pl.when(again).then(numbered).otherwise("id")
                )

    def kept(self, frames: Iterable[pl.DataFrame]) -> Iterator[pa.Table]:
        """The examples that no reason drops."""
        for frame in frames:
            yield to_table(frame.filter(pl.col("reason").is_null()), EXAMPLE_SCHEMA)

    def dropped(self, frames: Iterable[pl.DataFrame]) -> Iterator[pa.Table]:
        """The others as tables of REJECT_SCHEMA, counted as they pass."""
        known = {rule.reason: rule for rule in (*self._rules, DUPLICATE)}
        for frame in frames:
            lost = frame.filter(pl.col("reason").is_not_null())
            self.reasons.update(lost["reason"])
            yield to_table(
                lost.select(
                    "where",
                    "reason",
                    stage=pl.lit("preprocess"),
                    value=pl.col("value"),
                    expected=pl.col("reason").replace_strict(
                        {name: rule.expected for name, rule in known.items()}
                    ),
                    fix=pl.col("reason").replace_strict(
                        {name: rule.fix for name, rule in known.items()}
                    ),
                ),
                REJECT_SCHEMA,
            )

    def _marks(self) -> tuple[pl.Expr, pl.Expr]:
        """Reason and value of the first rule that drops a row; a value always."""
        reason = [pl.when(r.drops).then(pl.lit(r.reason)) for r in self._rules]
        value = [pl.when(r.drops).then(r.value) for r in self._rules]
        shown = self._rules[0].value
        return (
            pl.coalesce(*reason).alias("reason"),
            pl.coalesce(*value, shown).alias("value"),
        )

    def _repair(self, turns: pl.DataFrame) -> pl.DataFrame:
        """Turns with regular text; counts the rows that each repair changed."""
        for name, repair in self._repairs.items():
            before = turns["content"]
            after = repair(before)
            self.changed[name] += turns["row"].filter(before != after).n_unique()
            turns = turns.with_columns(after.alias("content"))
        return turns

    def _references(self, references: pl.Series) -> pl.Series:
        """Further gold answers, repaired as the messages are."""
        for repair in self._repairs.values():
            text = pl.element().map_batches(
                repair, return_dtype=pl.String, is_elementwise=True
            )
            references = references.list.eval(text)
        return references


def _groups(groups: pl.Series, said: pl.DataFrame) -> pl.Series:
    """The source's groups; where it has none, the prompt is the group.

    Examples that ask the same must not be split apart. Without a prompt, as in plain
    completion, an example is its own group. The hash is SHA-256, the same for ever:
    splits are drawn by it.
    """
    if (groups != "").all():
        return groups
    columns = (groups, said["prompt"], said["whole"])
    asked = zip(*(column.to_list() for column in columns), strict=True)
    return pl.Series(
        "group",
        [
            group or hashlib.sha256((prompt or whole).encode()).hexdigest()[:16]
            for group, prompt, whole in asked
        ],
    )
