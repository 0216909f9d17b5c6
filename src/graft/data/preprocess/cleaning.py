"""Cleaning of one batch: repairs, personal data, rules, and keys of duplicates.

A pure function of the batch, so that any engine can run it on any machine. Duplicates
depend on all batches; `graft.data.preprocess.duplicates` finds them afterwards.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa

from graft.config import PreprocessConfig
from graft.data.balance import named
from graft.data.columns import digest, to_frame, to_table
from graft.data.preprocess.filters import Rule, rules
from graft.data.preprocess.near_duplicates.signatures import MARKS, bands, to_keys
from graft.data.preprocess.pii.review import Decisions
from graft.data.preprocess.pii.scrub import Scrubber
from graft.data.preprocess.quality import measure, quality_rules
from graft.data.preprocess.repairing import repair
from graft.data.turns import ROLE_END, TURN_END, fold, prompt_or_whole, sides, unfold
from graft.records import EXAMPLE_SCHEMA

PERSONAL = Rule(
    "personal data",
    pl.col("personal").is_not_null(),
    "a text without this kind of personal data",
    "remove it from the row, or set its kind in preprocess.pii.actions to redact",
    pl.col("personal"),
)


@dataclass
class CleaningCounts:
    """Sums over batches.

    Attributes:
        changed: number of examples that each repair changed.
        personal: number of findings of personal data by kind.
        review: findings for a reviewer: borderline ones, to decide on by their key, and
            those that are only flagged.
    """

    rows: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    personal: Counter[str] = field(default_factory=Counter)
    review: list[dict[str, str]] = field(default_factory=list)

    def count(
        self, cleaned: "Iterable[tuple[pa.Table, CleaningCounts]]"
    ) -> Iterator[pa.Table]:
        """Add up the counts of `clean`, and yield its tables."""
        for table, counts in cleaned:
            self.rows += counts.rows
            self.changed.update(counts.changed)
            self.personal.update(counts.personal)
            self.review += counts.review
            yield table

    def to_report(self) -> dict[str, Any]:
        """The counts for the stage's report."""
        return {"changed": self.changed, "personal_data": self.personal}

    def __str__(self) -> str:
        changed, personal = named(self.changed.items()), named(self.personal.items())
        return f"; changed{changed}" + (personal and f"; personal data{personal}")


@dataclass(frozen=True)
class ReviewDecisions:
    """Decisions of reviewers: on findings by key, and ids to keep despite a rule."""

    personal: Decisions
    readmitted: Set[str]


def marked_schema(config: PreprocessConfig) -> pa.Schema:
    """Examples with the reason to drop them (null: kept), two 64-bit hashes of their
    messages, and keys of near-duplicates."""
    near = config.near_duplicates
    num_keys = 0 if near.policy == "ignore" else MARKS + bands(near)[0]
    names = ["high", "low", *(f"key_{n}" for n in range(num_keys))]
    return pa.schema(
        [
            *EXAMPLE_SCHEMA,
            pa.field("reason", pa.string()),
            pa.field("value", pa.string()),
            *(pa.field(name, pa.uint64()) for name in names),
        ]
    )


def all_rules(config: PreprocessConfig) -> list[Rule]:
    """Every rule that may drop a single example; the first that applies is reported."""
    return [PERSONAL, *rules(config), *quality_rules(config.quality)]


def clean(
    table: pa.Table, config: PreprocessConfig, decisions: ReviewDecisions
) -> tuple[pa.Table, CleaningCounts]:
    """A batch of EXAMPLE_SCHEMA → the same rows by `marked_schema`, and its counts."""
    batch = to_frame(table)
    counts = CleaningCounts(rows=batch.height)
    turns, references = unfold(batch), _unfold_references(batch["references"])
    turns, changed = repair(turns, references, config)
    counts.changed.update(changed)
    references, _ = repair(references, turns, config)
    turns, dropped = _scrub(turns, batch, config, decisions, counts)
    references, dropped_too = _scrub(references, batch, config, decisions, counts)
    both = sides(turns)
    # Longer texts are dropped anyway, and would take minutes to measure.
    short = turns.with_columns(pl.col("content").str.head(config.max_chars))
    both = measure(both, short, batch["stratum"], config.quality)
    both = both.with_columns(personal=_joined(batch.height, dropped, dropped_too))
    batch = batch.with_columns(
        fold(turns),
        _fold_references(references, batch["references"]),
        _groups(batch["group"], both),
        both["whole"].hash(seed=1).alias("high"),
        both["whole"].hash(seed=2).alias("low"),
    )
    batch = batch.with_columns(*_first_reasons(both, all_rules(config)))
    if decisions.readmitted:
        exempt = pl.col("id").is_in(list(decisions.readmitted))
        batch = batch.with_columns(reason=pl.when(~exempt).then("reason"))
    schema = marked_schema(config)
    if config.near_duplicates.policy != "ignore":
        keys = to_keys(join_sides(both), config.near_duplicates)
        named = {f"key_{n}": keys[:, n] for n in range(keys.shape[1])}
        batch = batch.with_columns(pl.Series(name, key) for name, key in named.items())
    return to_table(batch, schema), counts


def join_sides(both: pl.DataFrame) -> pl.Series:
    """The text of both sides, to find candidates for near-duplicates. Shape [rows]."""
    return both.select(
        pl.concat_str("user", "assistant", separator="\n", ignore_nulls=True)
    ).to_series()


def prompt_and_answer(both: pl.DataFrame) -> pl.DataFrame:
    """Columns `prompt` (all turns but the last) and `answer` (the last)."""
    role = f"(?:^|{TURN_END})[^{TURN_END}{ROLE_END}]*{ROLE_END}"
    return both.select(
        prompt=pl.col("prompt").str.replace_all(role, "\n"),
        answer=pl.col("whole").str.extract(f"([^{ROLE_END}]*)$"),
    )


def _scrub(
    turns: pl.DataFrame,
    batch: pl.DataFrame,
    config: PreprocessConfig,
    decisions: ReviewDecisions,
    counts: CleaningCounts,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turns without personal data; and the kinds that drop rows, by column row."""
    if set(config.pii.actions.values()) == {"ignore"} or turns.is_empty():
        return turns, pl.DataFrame(schema={"row": pl.UInt32, "kinds": pl.String})
    ids = batch["id"].gather(turns["row"])
    # A text that is too long is dropped, unless a reviewer readmitted it.
    size = turns["content"].str.len_chars() <= config.max_chars
    places = (size | ids.is_in(list(decisions.readmitted))).arg_true()
    turns, left = turns[places], turns
    ids = ids.gather(places)
    found = Scrubber(config.pii, decisions.personal).scrub(turns["content"], ids)
    counts.personal.update(found.counts)
    if found.review or found.flagged.null_count() < len(found.flagged):
        where = dict(batch.select("id", "where").iter_rows())
        counts.review += [
            {"where": where[line.id], **asdict(line)} for line in found.review
        ]
        named = turns.select("row", kind=found.flagged, text="content", id=ids)
        counts.review += [
            {"where": where[line["id"]], "key": "", "context": "", "why": "flagged"}
            | {name: line[name] for name in ("id", "kind", "text")}
            for line in named.drop_nulls("kind").to_dicts()
        ]
    dropped = turns.select("row", kinds=found.dropped).drop_nulls()
    return left.with_columns(left["content"].scatter(places, found.texts)), dropped


def _joined(rows: int, *dropped: pl.DataFrame) -> pl.Series:
    """The kinds of personal data that drop each row, or null. Shape [rows]."""
    kinds = pl.concat(dropped).group_by("row", maintain_order=True)
    found = kinds.agg(pl.col("kinds").unique(maintain_order=True).str.join(","))
    column = pl.Series("personal", [None] * rows, dtype=pl.String)
    return column.scatter(found["row"], found["kinds"])


def _unfold_references(references: pl.Series) -> pl.DataFrame:
    """Further reference answers, one per line, as of `unfold`."""
    lines = references.alias("content").to_frame().with_row_index("row")
    return lines.filter(pl.col("content").list.len() > 0).explode("content")


def _fold_references(lines: pl.DataFrame, before: pl.Series) -> pl.Series:
    if lines.is_empty():
        return before
    after = lines.group_by("row").agg(pl.col("content").alias("after"))
    rows = before.to_frame().with_row_index("row")
    joined = rows.join(after, on="row", how="left", maintain_order="left")
    return joined.select(references=pl.coalesce("after", "references")).to_series()


def _first_reasons(
    both: pl.DataFrame, chosen: list[Rule]
) -> tuple[pl.Series, pl.Series]:
    """Reason and value of the first rule that drops each row, or null. Shape [rows].

    Values cost more than reasons, so they are computed for dropped rows only.
    """
    first = [pl.when(rule.drops).then(pl.lit(rule.reason)) for rule in chosen]
    reason = both.select(reason=pl.coalesce(*first)).to_series()
    dropped = reason.is_not_null()
    values = [pl.when(rule.drops).then(rule.value) for rule in chosen]
    shown = both.filter(dropped).select(value=pl.coalesce(*values)).to_series()
    value = pl.Series("value", [None] * both.height, dtype=pl.String)
    return reason, value.scatter(dropped.arg_true(), shown)


def _groups(groups: pl.Series, both: pl.DataFrame) -> pl.Series:
    """The source's groups; where it has none, a digest of the prompt.

    Examples with the same prompt must stay in one split. Without a prompt, as in plain
    completion, an example is its own group.
    """
    if (groups != "").all():
        return groups
    own = digest(both.select(prompt_or_whole()).to_series())
    return groups.zip_with(groups != "", own).alias("group")
