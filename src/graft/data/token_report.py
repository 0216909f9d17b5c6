"""What the tokenize stage tells: counts that add up, lengths, and a page to read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graft.data.masks import Ints
from graft.data.sequences import Encoder, Outcome, Rules, to_sequences
from graft.errors import DataError
from graft.records import REJECT_SCHEMA, Reject

NUM_BINS = 8
ADDED = ("paraphrases", "further chunks")
PERCENTILES = (1, 25, 50, 75, 90, 99)


class Shower(Protocol):
    """What is needed of a prompt template to show tokens."""

    def show(self, ids: Sequence[int]) -> str:
        """Text of ids, control tokens by name."""


def check_gate(report: Mapping[str, Any], where: str) -> None:
    """Go on only after a passed contract. Raises: DataError."""
    if report.get("passed") is not True:
        raise DataError(
            where,
            "the data contract was not passed",
            expected='"passed": true',
            fix="read reports/validate.html, mend the data, then: dvc repro validate",
        )


class Tally:
    """Sums over the tables of a run, and its first sequences."""

    def __init__(self, rules: Rules) -> None:
        self._rules, self._config = rules, rules.tokenize
        self._lengths: list[Ints] = []
        self._counts: Counter[str] = Counter()
        self.rejects: list[Reject] = []
        self.shown: list[dict[str, Any]] = []

    def encode(
        self, tables: Iterable[pa.Table], template: Encoder
    ) -> Iterator[pa.Table]:
        """Sequences of each table of examples, counted as they pass."""
        for table in tables:
            outcome = to_sequences(table, template, self._rules)
            self._add(table.num_rows, outcome)
            yield outcome.sequences

    def _add(self, num_examples: int, outcome: Outcome) -> None:
        sequences = outcome.sequences
        learned = pc.sum(pc.list_flatten(sequences["learned"])).as_py() or 0
        self._counts.update(
            examples=num_examples,
            sequences=sequences.num_rows,
            rejects=len(outcome.rejects),
            truncated=outcome.num_truncated,
            **outcome.num_added,
            tokens=len(pc.list_flatten(sequences["input_ids"])),
            learned_tokens=learned,
        )
        self._lengths.append(outcome.lengths)
        self.rejects += outcome.rejects
        missing = self._config.num_shown - len(self.shown)
        self.shown += sequences.slice(0, max(missing, 0)).to_pylist()

    def balance(self) -> str:
        """`in + added = out + rejects` in a line. Raises: AssertionError if not so."""
        counts = self._counts
        added = [name for name in ADDED if counts[name]]
        line = (
            "".join(
                [f"{counts['examples']} examples"]
                + [f" + {counts[name]} {name}" for name in added]
            )
            + f" = {counts['sequences']} sequences + {counts['rejects']} rejects"
        )
        coming = counts["examples"] + sum(counts[name] for name in added)
        if coming != counts["sequences"] + counts["rejects"]:
            raise AssertionError(line)
        return line

    def reject_table(self) -> pa.Table:
        """The rejects, as columns of REJECT_SCHEMA."""
        return pa.Table.from_pylist([vars(r) for r in self.rejects], REJECT_SCHEMA)

    def to_report(self) -> dict[str, Any]:
        """Counts and lengths in tokens, before the limit was applied."""
        names = ("examples", *ADDED, "sequences", "rejects", "truncated")
        tokens, learned = self._counts["tokens"], self._counts["learned_tokens"]
        lengths = np.concatenate([*self._lengths, np.zeros(0, np.int64)])
        return {
            "counts": {name: self._counts[name] for name in names},
            "balance": self.balance(),
            "rejects_by_reason": dict(Counter(r.reason for r in self.rejects)),
            "tokens": tokens,
            "learned_tokens": learned,
            "learned_share": round(learned / tokens, 4) if tokens else 0.0,
            "length": _summary(lengths),
            "length_histogram": _histogram(lengths, self._config.max_seq_len),
        }


def _summary(lengths: Ints) -> dict[str, int]:
    if not lengths.size:
        return {}
    values = np.percentile(lengths, PERCENTILES, method="inverted_cdf")
    named = {f"p{p}": int(v) for p, v in zip(PERCENTILES, values, strict=True)}
    return {"min": int(lengths.min()), **named, "max": int(lengths.max())}


def _histogram(lengths: Ints, max_seq_len: int) -> dict[str, int]:
    """Sequences by length, in equal bins up to the limit and one past it."""
    edges = np.linspace(0, max_seq_len, NUM_BINS + 1).astype(int)
    bins = {}
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        inside = (lengths > low) & (lengths <= high)
        bins[f"{low + 1:05d}-{high:05d}"] = int(np.sum(inside))
    return {**bins, f"over {max_seq_len}": int(np.sum(lengths > max_seq_len))}


def to_page(
    report: Mapping[str, Any], shown: Sequence[Mapping[str, Any]], template: Shower
) -> str:
    """A Markdown page: counts, lengths, and examples with what is learned marked."""
    most = max(1, *report["length_histogram"].values())
    bars = [
        f"{name:>13} {count:>9} {'█' * round(30 * count / most)}".rstrip()
        for name, count in report["length_histogram"].items()
    ]
    parts = [
        "# Tokens",
        f"{report['balance']}; {report['counts']['truncated']} truncated.",
        f"{report['tokens']} tokens, of which {report['learned_tokens']} are learned "
        f"({report['learned_share']:.1%}). Template {report['template_hash']}.",
        "## Lengths, in tokens, before the limit",
        "\n".join(["```text", *bars, "```"]),
        "## Examples",
        "As the model reads them, control tokens by name; ⟦what is learned⟧.",
    ]
    for row in shown:
        text = _mark(row["input_ids"], row["learned"], template)
        parts += [f"`{row['id']}`, {row['where']}", f"~~~~text\n{text}\n~~~~"]
    return "\n\n".join(parts) + "\n"


def _mark(ids: Sequence[int], learned: Sequence[bool], template: Shower) -> str:
    text = ""
    for mark, run in groupby(zip(learned, ids, strict=True), key=lambda pair: pair[0]):
        part = template.show([token for _, token in run])
        text += f"⟦{part}⟧" if mark else part
    return text
