"""Examples become sequences or counted rejects, and nothing else."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.config import TokenizeConfig
from graft.data.sequences import to_sequences
from graft.data.token_report import Tally, check_gate, to_page
from graft.errors import DataError, TemplateError
from graft.records import EXAMPLE_SCHEMA, Encoded, Message

END = 0


class Letters:
    """Token i is the character i; prompts are not learned, answers are."""

    stop_ids = [END]

    def __init__(self, *, learns_end: bool = True) -> None:
        self.learns_end = learns_end

    def refusal(self, messages: Sequence[Message]) -> str:
        return "" if messages[-1]["role"] == "assistant" else "no answer"

    def encode(self, batch: Sequence[Sequence[Message]]) -> list[Encoded]:
        return [self._one(messages) for messages in batch]

    def _one(self, messages: Sequence[Message]) -> Encoded:
        asked, said = (message["content"] for message in messages)
        if asked == "unsayable":
            raise TemplateError("the template", "drops a turn", fix="mend it")
        ids = [ord(letter) for letter in asked + said] + [END]
        marks = [False] * len(asked) + [True] * len(said) + [self.learns_end]
        return Encoded(ids, marks)

    def show(self, ids: Sequence[int]) -> str:
        return "".join(chr(i) if i else "</s>" for i in ids)


def table(pairs: Sequence[tuple[str, str | None]]) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for number, (asked, said) in enumerate(pairs):
        messages = [Message(role="user", content=asked)]
        if said is not None:
            messages.append(Message(role="assistant", content=said))
        rows.append(
            {
                "id": f"id{number}",
                "messages": messages,
                "references": [],
                "group": str(number),
                "stratum": "",
                "split": None,
                "where": f"file:{number}",
            }
        )
    return pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)


TEXT = st.text("ab", max_size=12)
PAIRS = st.lists(st.tuples(TEXT, st.none() | TEXT), max_size=10)


@pytest.mark.parametrize("overlong", ["drop", "truncate"])
@given(pairs=PAIRS)
def test_every_example_becomes_one_sequence_or_one_reject(
    overlong: Any, pairs: list[tuple[str, str | None]]
) -> None:
    outcome = to_sequences(table(pairs), Letters(), 10, overlong)
    seen = outcome.sequences["where"].to_pylist() + [r.where for r in outcome.rejects]
    assert sorted(seen) == sorted(f"file:{i}" for i in range(len(pairs)))
    rows = outcome.sequences.to_pylist()
    assert all(len(row["input_ids"]) == len(row["learned"]) <= 10 for row in rows)
    assert all(any(row["learned"]) for row in rows)


def test_an_overlong_sequence_is_dropped_and_told() -> None:
    outcome = to_sequences(table([("abc", "abcdef"), ("a", "b")]), Letters(), 8, "drop")
    assert outcome.sequences["id"].to_pylist() == ["id1"]
    (reject,) = outcome.rejects
    assert (reject.where, reject.reason, reject.value) == (
        "file:0",
        "too long",
        "10 tokens",
    )


def test_a_truncated_answer_loses_its_end_and_is_counted() -> None:
    pairs = [("abc", "abcdef"), ("abcdefgh", "ab")]
    outcome = to_sequences(table(pairs), Letters(), 8, "truncate")
    (row,) = outcome.sequences.to_pylist()
    assert Letters().show(row["input_ids"]) == "abcabcde"
    assert outcome.num_truncated == 1
    assert [reject.where for reject in outcome.rejects] == ["file:1"]
    assert outcome.lengths.tolist() == [10, 11]


def test_a_broken_mask_stops_the_stage_and_names_the_example() -> None:
    with pytest.raises(
        TemplateError, match=r"file:0 \(example id0\).*end of an answer"
    ):
        to_sequences(table([("a", "b")]), Letters(learns_end=False), 8, "drop")


def test_what_a_template_cannot_write_is_named() -> None:
    pairs = [("a", "b"), ("a", None), ("unsayable", "b")]
    with pytest.raises(TemplateError, match=r"file:2 \(example id2\).*drops a turn"):
        to_sequences(table(pairs), Letters(), 8, "drop")


def test_the_report_adds_up_and_the_page_marks_what_is_learned() -> None:
    config = TokenizeConfig(max_seq_len=8, overlong="truncate", num_shown=2)
    tally = Tally(config)
    tables = [table([("abc", "abcdef"), ("x", None)]), table([("ab", "c")])]
    num_rows = sum(t.num_rows for t in tally.encode(tables, Letters()))
    report = tally.to_report()
    assert num_rows == 2
    assert report["balance"] == "3 examples = 2 sequences + 1 rejects"
    assert report["counts"]["truncated"] == 1
    assert (report["tokens"], report["learned_tokens"]) == (12, 7)
    assert report["rejects_by_reason"] == {"no answer": 1}
    assert sum(report["length_histogram"].values()) == 2
    assert (report["length"]["min"], report["length"]["max"]) == (4, 10)
    page = to_page({**report, "template_hash": "h"}, tally.shown, Letters())
    assert "abc⟦abcde⟧" in page and "ab⟦c</s>⟧" in page


def test_an_empty_table_makes_an_empty_report() -> None:
    tally = Tally(TokenizeConfig(max_seq_len=8, overlong="drop", num_shown=1))
    assert [t.num_rows for t in tally.encode([table([])], Letters())] == [0]
    assert tally.to_report()["length"] == {}


def test_a_gate_that_was_not_passed_stops_the_line() -> None:
    check_gate({"passed": True}, "reports/validate.json")
    with pytest.raises(DataError, match="not passed"):
        check_gate({"passed": False}, "reports/validate.json")
