"""Cleaning of one batch: repairs, personal data, rules, and what tells duplicates.

A pure function of the batch, so that any engine can run it anywhere. What hangs on
all batches, the duplicates, is found afterwards by `graft.data.preprocess.duplicates`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl
import pyarrow as pa

from graft.config import PreprocessConfig
from graft.data.balance import named
from graft.data.columns import to_frame, to_table
from graft.data.hashing import digest
from graft.data.preprocess.filters import Rule, rules
from graft.data.preprocess.near_duplicates import MARKS, bands, to_keys
from graft.data.preprocess.pii import Decisions, Scrubber
from graft.data.preprocess.quality import measure, quality_rules
from graft.data.preprocess.repairing import repair
from graft.data.turns import ROLE_END, TURN_END, fold, sides, unfold
from graft.records import EXAMPLE_SCHEMA

PERSONAL = Rule(
    "personal data",
    pl.col("personal").is_not_null(),
    pl.col("personal"),
    "a text without this kind of personal data",
    "remove it from the row, or set its kind in preprocess.pii.actions to redact",
)


@dataclass
class Account:
    """Sums over batches.

    `changed` counts examples by the repair that changed them, `personal` findings by
    kind. `review` are findings for a person: borderline ones, to decide on by their
    key, and those that are only flagged.
    """

    rows: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    personal: Counter[str] = field(default_factory=Counter)
    review: list[dict[str, str]] = field(default_factory=list)

    def tables(self, done: "Iterable[tuple[pa.Table, Account]]") -> Iterator[pa.Table]:
        """The tables of `clean`, counted as they pass."""
        for table, account in done:
            self.rows += account.rows
            self.changed.update(account.changed)
            self.personal.update(account.personal)
            self.review += account.review
            yield table

    def to_report(self) -> dict[str, Any]:
        """For the stage's report."""
        return {"changed": self.changed, "personal_data": self.personal}

    def __str__(self) -> str:
        changed, personal = named(self.changed.items()), named(self.personal.items())
        return f"; changed{changed}" + (personal and f"; personal data{personal}")


@dataclass(frozen=True)
class Decided:
    """What persons said: of findings by key, and which ids to keep all the same."""

    personal: Decisions
    readmitted: Set[str]


def marked_schema(config: PreprocessConfig) -> pa.Schema:
    """Examples; why they are dropped (null: kept); two 64-bit hashes of the messages;
    keys of near-duplicates."""
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
    """Every rule that may drop an example by itself, in the order of their say."""
    return [PERSONAL, *rules(config), *quality_rules(config.quality)]


def clean(
    table: pa.Table, config: PreprocessConfig, decided: Decided
) -> tuple[pa.Table, Account]:
    """A batch of EXAMPLE_SCHEMA → the same rows by `marked_schema`, and its account."""
    batch = to_frame(table)
    account = Account(rows=batch.height)
    turns, references = unfold(batch), _unfold_references(batch["references"])
    turns, changed = repair(turns, references, config)
    account.changed.update(changed)
    references, _ = repair(references, turns, config)
    turns, dropped = _scrub(turns, batch, config, decided, account)
    references, dropped_too = _scrub(references, batch, config, decided, account)
    said = sides(turns)
    # What is longer is dropped as such; it would take minutes to measure.
    short = turns.with_columns(pl.col("content").str.head(config.max_chars))
    said = measure(said, short, batch["stratum"], config.quality)
    said = said.with_columns(personal=_joined(batch.height, dropped, dropped_too))
    batch = batch.with_columns(
        fold(turns),
        _fold_references(references, batch["references"]),
        _groups(batch["group"], said),
        said["whole"].hash(seed=1).alias("high"),
        said["whole"].hash(seed=2).alias("low"),
    )
    batch = batch.with_columns(*_marks(said, all_rules(config)))
    if decided.readmitted:
        exempt = pl.col("id").is_in(list(decided.readmitted))
        batch = batch.with_columns(reason=pl.when(~exempt).then("reason"))
    schema = marked_schema(config)
    if config.near_duplicates.policy != "ignore":
        keys = to_keys(spoken(said), config.near_duplicates)
        named = {f"key_{n}": keys[:, n] for n in range(keys.shape[1])}
        batch = batch.with_columns(pl.Series(name, key) for name, key in named.items())
    return to_table(batch, schema), account


def spoken(said: pl.DataFrame) -> pl.Series:
    """What is compared to find near-duplicates: what both sides say."""
    return said.select(
        pl.concat_str("user", "assistant", separator="\n", ignore_nulls=True)
    ).to_series()


def compared(said: pl.DataFrame) -> pl.DataFrame:
    """All turns before the last as column prompt, and the last as answer."""
    role = f"(?:^|{TURN_END})[^{TURN_END}{ROLE_END}]*{ROLE_END}"
    return said.select(
        prompt=pl.col("prompt").str.replace_all(role, "\n"),
        answer=pl.col("whole").str.extract(f"([^{ROLE_END}]*)$"),
    )


def _scrub(
    turns: pl.DataFrame,
    batch: pl.DataFrame,
    config: PreprocessConfig,
    decided: Decided,
    account: Account,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turns without personal data; and the kinds that drop a row, with column row."""
    if set(config.pii.actions.values()) == {"ignore"} or turns.is_empty():
        return turns, pl.DataFrame(schema={"row": pl.UInt32, "kinds": pl.String})
    ids = batch["id"].gather(turns["row"])
    # What is too long is dropped, unless a person wanted it.
    size = turns["content"].str.len_chars() <= config.max_chars
    places = (size | ids.is_in(list(decided.readmitted))).arg_true()
    turns, left = turns[places], turns
    ids = ids.gather(places)
    found = Scrubber(config.pii, decided.personal).scrub(turns["content"], ids)
    account.personal.update(found.counts)
    if found.review or found.flagged.null_count() < len(found.flagged):
        where = dict(batch.select("id", "where").iter_rows())
        account.review += [
            {"where": where[line.id], **asdict(line)} for line in found.review
        ]
        named = turns.select("row", kind=found.flagged, text="content", id=ids)
        account.review += [
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
    """Further gold answers, with a line each, as of `unfold`."""
    lines = references.alias("content").to_frame().with_row_index("row")
    return lines.filter(pl.col("content").list.len() > 0).explode("content")


def _fold_references(lines: pl.DataFrame, before: pl.Series) -> pl.Series:
    if lines.is_empty():
        return before
    told = lines.group_by("row").agg(pl.col("content").alias("told"))
    rows = before.to_frame().with_row_index("row")
    joined = rows.join(told, on="row", how="left", maintain_order="left")
    return (
        joined.select(pl.coalesce("told", "references")).to_series().alias(before.name)
    )


def _marks(said: pl.DataFrame, chosen: list[Rule]) -> tuple[pl.Series, pl.Series]:
    """Reason and value of the first rule that drops each row, or null. Shape [rows].

    Values cost more than reasons, so only those of dropped rows are made.
    """
    first = [pl.when(rule.drops).then(pl.lit(rule.reason)) for rule in chosen]
    reason = said.select(reason=pl.coalesce(*first)).to_series()
    dropped = reason.is_not_null()
    values = [pl.when(rule.drops).then(rule.value) for rule in chosen]
    shown = said.filter(dropped).select(value=pl.coalesce(*values)).to_series()
    value = pl.Series("value", [None] * said.height, dtype=pl.String)
    return reason, value.scatter(dropped.arg_true(), shown)


def _groups(groups: pl.Series, said: pl.DataFrame) -> pl.Series:
    """The source's groups; where it has none, the prompt is the group.

    Examples that ask the same must not be split apart. Without a prompt, as in plain
    completion, an example is its own group.
    """
    if (groups != "").all():
        return groups
    asked = said.select(
        pl.when(pl.col("prompt") != "").then("prompt").otherwise("whole")
    )
    own = digest(asked.to_series())
    return groups.zip_with(groups != "", own).alias("group")
