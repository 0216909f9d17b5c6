"""Reference answers that generation could never return in full.

A completion ends before the first stop text and after `max_new_tokens`. Where a
reference answer contains a stop text, or is longer, every correct completion is cut and
scored as wrong.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl
import pyarrow as pa

from graft.config import TaskConfig
from graft.data.columns import to_frame
from graft.data.tokenize.sequences import TokenizedTable
from graft.errors import DataError
from graft.records import shorten


class AnswerLimitCheck:
    """Counts answers that generation would cut, and raises if there are too many.

    Args:
        task: stop texts, and the length of the longest completion.
        max_cut: share of the examples whose answer may contain a stop text.
        total: number of examples.
    """

    def __init__(self, task: TaskConfig, max_cut: float, total: int) -> None:
        self._stop, self._longest = task.stop, task.max_new_tokens
        self._max_cut, self._total = max_cut, total
        self._cut: Counter[str] = Counter()
        self._num_seen = self._num_cut = self._num_long = self._max_tokens = 0
        self._first = ""

    def check_stop_texts(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Pass tables of EXAMPLE_SCHEMA on. Raises: DataError past `max_cut`."""
        for table in tables:
            if self._stop:
                self._count_stops(to_frame(table.select(["where", "messages"])))
                if self._num_cut > self._max_cut * self._total:
                    raise self._too_many()
            yield table

    def _count_stops(self, examples: pl.DataFrame) -> None:
        # White space around a completion is stripped: a stop text in the space after
        # the answer cuts nothing, one in the space before it leaves nothing.
        answer = pl.col("messages").list.last().struct.field("content")
        found = examples.select(
            "where",
            answer.alias("answer"),
            *(
                answer.str.strip_chars_end()
                .str.contains(text, literal=True)
                .alias(str(number))
                for number, text in enumerate(self._stop)
            ),
        )
        names = [str(number) for number in range(len(self._stop))]
        cut = found.filter(pl.any_horizontal(names))
        for name, text in zip(names, self._stop, strict=True):
            self._cut[text] += int(found[name].sum())
        self._num_seen += len(examples)
        self._num_cut += len(cut)
        if len(cut) and not self._first:
            self._first = f"{cut['where'][0]}: {shorten(repr(cut['answer'][0]))}"

    def count_long(self, tables: Iterable[TokenizedTable]) -> Iterator[TokenizedTable]:
        """Pass tables on, and count answers with too many tokens."""
        for table in tables:
            lengths = table.num_answer_tokens
            self._num_long += int((lengths > self._longest).sum())
            self._max_tokens = max(self._max_tokens, int(lengths.max(initial=0)))
            yield table

    def _too_many(self) -> DataError:
        return DataError(
            "task.stop",
            f"{self._shown_stops()} in {self._num_cut:,} of the first "
            f"{self._num_seen:,} answers, such as {self._first}",
            expected="stop texts that no reference answer contains: a completion ends "
            "before the first of them, so every such answer would be scored as wrong. "
            f"At most {self._max_cut:.1%} of them may (tokenize.max_cut_answers)",
            fix="set task.stop to [] in configs/task (the end-of-turn token ends an "
            "answer anyway), choose another stop text, or remove it from the answers",
        )

    def _shown_stops(self) -> str:
        found = [f"{text!r} occurs" for text, count in self._cut.items() if count]
        return (
            " and ".join(found) if len(found) < 3 else f"{len(found)} stop texts occur"
        )

    def warnings(self) -> list[str]:
        """Sentences on what generation will cut; empty if nothing."""
        found = []
        if self._num_cut:
            found.append(
                f"task.stop: {self._shown_stops()} in {self._num_cut:,} of "
                f"{self._total:,} answers, which can never be generated in full, such "
                f"as {self._first}"
            )
        if self._num_long:
            found.append(
                f"task.max_new_tokens: {self._num_long:,} of {self._total:,} answers "
                f"have more than {self._longest} tokens (up to {self._max_tokens:,}), "
                "and can never be generated in full; raise it"
            )
        return found

    def to_report(self) -> dict[str, Any]:
        """The warnings, and the number of answers with each stop text."""
        return {
            "cut_answers": [f"{text!r}: {count}" for text, count in self._cut.items()],
            "unreachable": self.warnings(),
        }
