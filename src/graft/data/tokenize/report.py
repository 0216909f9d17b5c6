"""The report of the tokenize stage: counts, lengths, and a page with examples."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graft.config import TokenizeConfig
from graft.data.columns import from_lines
from graft.data.tokenize.sequences import TokenizedTable
from graft.errors import DataError
from graft.records import REJECT_SCHEMA
from graft.records.ragged import Ints

NUM_BINS = 8
ADDED = ("paraphrases", "further chunks")
PERCENTILES = (1, 25, 50, 75, 90, 99)


def check_gate(report: Mapping[str, Any], where: str) -> None:
    """Raises: DataError if the report of `validate` has not passed."""
    if report.get("passed") is not True:
        raise DataError(
            where,
            "the data did not pass validation",
            expected='"passed": true',
            fix="read reports/validate.html, fix the data, then: dvc repro validate",
        )


class TokenCounts:
    """Sums over the tables of a run, and its first sequences to show on the page."""

    def __init__(self, config: TokenizeConfig) -> None:
        self._config = config
        self._lengths = np.zeros(1, np.int64)  # number of sequences by length
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self.shown: list[dict[str, Any]] = []

    def count(
        self,
        tables: Iterable[TokenizedTable],
        write_rejects: Callable[[pa.Table], None],
    ) -> Iterator[pa.Table]:
        """Count each table, write its rejects, and yield its sequences.

        Raises: DataError if there are examples, and none became a sequence.
        """
        fix = ""
        for table in tables:
            self._add(table)
            write_rejects(from_lines([vars(r) for r in table.rejects], REJECT_SCHEMA))
            fix = fix or next((reject.fix for reject in table.rejects), "")
            yield table.sequences
        if self._counts["examples"] and not self._counts["sequences"]:
            named = [f"{reason} ({n})" for reason, n in self._reasons.most_common(3)]
            raise DataError(
                "tokenize",
                f"no example became a sequence: {', '.join(named)}",
                expected="examples that the prompt template and max_seq_len allow",
                fix=fix,
            )

    def _add(self, table: TokenizedTable) -> None:
        sequences = table.sequences
        num_trained = pc.sum(pc.list_flatten(sequences["loss_mask"])).as_py() or 0
        self._counts.update(
            examples=table.num_examples,
            sequences=sequences.num_rows,
            rejects=len(table.rejects),
            truncated=table.num_truncated,
            **table.num_added,
            tokens=pc.sum(pc.list_value_length(sequences["input_ids"])).as_py() or 0,
            trained_tokens=num_trained,
        )
        self._reasons.update(reject.reason for reject in table.rejects)
        counts = np.bincount(table.lengths, minlength=len(self._lengths))
        counts[: len(self._lengths)] += self._lengths
        self._lengths = counts
        missing = self._config.num_shown - len(self.shown)
        self.shown += sequences.slice(0, max(missing, 0)).to_pylist()

    def balance(self) -> str:
        """`in + added = out + rejects` as text. Raises: AssertionError if unequal."""
        counts = self._counts
        added = [name for name in ADDED if counts[name]]
        terms = [f"{counts[name]:,} {name}" for name in ("examples", *added)]
        line = " + ".join(terms)
        line += f" = {counts['sequences']:,} sequences + {counts['rejects']:,} rejects"
        total = counts["examples"] + sum(counts[name] for name in added)
        if total != counts["sequences"] + counts["rejects"]:
            raise AssertionError(line)
        return line

    def to_report(self) -> dict[str, Any]:
        """Counts, and lengths in tokens before `max_seq_len` is applied."""
        names = ("examples", *ADDED, "sequences", "rejects", "truncated")
        tokens, trained = self._counts["tokens"], self._counts["trained_tokens"]
        return {
            "counts": {name: self._counts[name] for name in names},
            "balance": self.balance(),
            "rejects_by_reason": dict(self._reasons),
            "tokens": tokens,
            "trained_tokens": trained,
            "trained_share": round(trained / tokens, 4) if tokens else 0.0,
            "length": _summary(self._lengths),
            "length_histogram": _histogram(self._lengths, self._config.max_seq_len),
        }


def _summary(counts: Ints) -> dict[str, int]:
    """Percentiles of the lengths, by nearest rank. `counts`: number of sequences by
    length. Shape [longest + 1]."""
    lengths = np.flatnonzero(counts)
    if not lengths.size:
        return {}
    upto = np.cumsum(counts)
    ranks = {f"p{p}": np.ceil(p / 100 * upto[-1]) for p in PERCENTILES}
    named = {name: int(np.searchsorted(upto, rank)) for name, rank in ranks.items()}
    return {"min": int(lengths[0]), **named, "max": int(lengths[-1])}


def _histogram(counts: Ints, max_seq_len: int) -> dict[str, int]:
    """Number of sequences in equal bins up to `max_seq_len`, and in one above it."""
    edges = np.linspace(0, max_seq_len, NUM_BINS + 1).astype(int)
    bins = {}
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        bins[f"{low + 1:05d}-{high:05d}"] = int(counts[low + 1 : high + 1].sum())
    return {**bins, f"over {max_seq_len}": int(counts[max_seq_len + 1 :].sum())}


def to_page(
    report: Mapping[str, Any],
    shown: Sequence[Mapping[str, Any]],
    show: Callable[[Sequence[int]], str],
) -> str:
    """A Markdown page: counts, lengths, and examples with their loss mask.

    `show`: ids → text, with control tokens by name.
    """
    most = max(1, *report["length_histogram"].values())
    bars = [
        f"{name:>13} {count:>9} {'█' * round(30 * count / most)}".rstrip()
        for name, count in report["length_histogram"].items()
    ]
    parts = [
        "# Tokens",
        f"{report['balance']}; {report['counts']['truncated']} truncated.",
        f"{report['tokens']} tokens, of which {report['trained_tokens']} carry loss "
        f"({report['trained_share']:.1%}). Template {report['template_hash']}.",
        "## Lengths, in tokens, before the limit",
        "\n".join(["```text", *bars, "```"]),
        "## Examples",
        "As the model reads them, with control tokens by name; ⟦tokens with loss⟧.",
    ]
    for row in shown:
        text = ""
        pairs = zip(row["loss_mask"], row["input_ids"], strict=True)
        for has_loss, run in groupby(pairs, key=lambda pair: pair[0]):
            part = show([token for _, token in run])
            text += f"⟦{part}⟧" if has_loss else part
        parts += [f"`{row['id']}`, {row['where']}", f"~~~~text\n{text}\n~~~~"]
    return "\n\n".join(parts) + "\n"
