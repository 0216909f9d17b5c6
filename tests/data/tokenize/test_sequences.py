"""Examples become sequences or counted rejects, and nothing else."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from letter_template import Letters, rules, table

from graft.data.tokenize.report import Tally, to_page
from graft.data.tokenize.sequences import to_sequences
from graft.errors import DataError, TemplateError
from graft.records import EXAMPLE_SCHEMA, Message

TEXT = st.text("ab", max_size=12)
PAIRS = st.lists(st.tuples(TEXT, st.none() | TEXT), max_size=10)


@pytest.mark.parametrize("overlong", ["drop", "truncate", "truncate_left"])
@given(pairs=PAIRS)
def test_every_example_becomes_one_sequence_or_one_reject(
    overlong: Any, pairs: list[tuple[str, str | None]]
) -> None:
    outcome = to_sequences(table(pairs), Letters(), rules(10, overlong))
    seen = outcome.sequences["where"].to_pylist() + [r.where for r in outcome.rejects]
    assert sorted(seen) == sorted(f"file:{i}" for i in range(len(pairs)))
    rows = outcome.sequences.to_pylist()
    assert all(len(row["input_ids"]) == len(row["learned"]) <= 10 for row in rows)
    assert all(any(row["learned"]) for row in rows)


def test_an_overlong_sequence_is_dropped_and_told() -> None:
    outcome = to_sequences(table([("abc", "abcdef"), ("a", "b")]), Letters(), rules(8))
    assert outcome.sequences["id"].to_pylist() == ["id1"]
    (reject,) = outcome.rejects
    assert (reject.where, reject.reason, reject.value) == (
        "file:0",
        "too long",
        "10 tokens",
    )


def test_a_truncated_answer_loses_its_end_and_is_counted() -> None:
    pairs = [("abc", "abcdef"), ("abcdefgh", "ab")]
    outcome = to_sequences(table(pairs), Letters(), rules(8, "truncate"))
    (row,) = outcome.sequences.to_pylist()
    assert Letters().show(row["input_ids"]) == "abcabcde"
    assert outcome.num_truncated == 1
    assert [reject.where for reject in outcome.rejects] == ["file:1"]
    assert outcome.lengths.tolist() == [10, 11]


def test_a_prompt_cut_at_the_left_is_written_with_its_own_messages() -> None:
    pairs = [("a", "b"), ("abc de fg", "xy"), ("ab", "abcdefgh")]
    outcome = to_sequences(table(pairs), Letters(), rules(8, "truncate_left"))
    rows = outcome.sequences.to_pylist()
    assert [row["id"] for row in rows] == ["id0", "id1"]
    assert rows[1]["messages"][0]["content"] == "de fg"
    assert Letters().show(rows[1]["input_ids"]) == "de fgxy</s>"
    assert (outcome.num_truncated, rows[1]["num_bytes"]) == (1, 2)
    assert [reject.where for reject in outcome.rejects] == ["file:2"]


def test_a_broken_mask_stops_the_stage_and_names_the_example() -> None:
    with pytest.raises(
        TemplateError, match=r"file:0 \(example id0\).*end of an answer"
    ):
        to_sequences(table([("a", "b")]), Letters(learns_end=False), rules(8))


def test_what_a_template_refuses_is_a_counted_reject_with_its_reason() -> None:
    pairs = [("a", "b"), ("a", None), ("b", "unsayable"), ("c", "d")]
    outcome = to_sequences(table(pairs), Letters(), rules(8))
    assert outcome.sequences["id"].to_pylist() == ["id0", "id3"]
    assert [(r.where, r.reason, r.fix) for r in outcome.rejects[1:]] == [
        ("file:2", "drops a turn", "mend it")
    ]
    copied = to_sequences(
        table(pairs), Letters(), rules(30, ways=["please {source}"], copies=1)
    )
    assert copied.num_added["paraphrases"] == 2
    assert len(copied.rejects) == 2


def test_a_template_that_refuses_every_example_stops_the_stage() -> None:
    outcome = to_sequences(table([("b", "unsayable")]), Letters(), rules(8))
    with pytest.raises(DataError, match="drops a turn"):
        list(Tally(rules(8).tokenize).tables([outcome], list))


def test_an_answer_without_loss_is_read_and_not_learned() -> None:
    turns = [("user", "a"), ("assistant", "bc"), ("user", "d"), ("assistant", "efg")]
    for number, expected in ((0, "efg"), (1, "bc")):
        rows = table([("a", "x")]).to_pylist()
        rows[0]["messages"] = [{"role": r, "content": c} for r, c in turns]
        rows[0]["messages"][2 * number + 1]["learn"] = False
        examples = pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)
        (row,) = to_sequences(examples, Letters(), rules(30)).sequences.to_pylist()
        marked = zip(row["input_ids"], row["learned"], strict=True)
        assert Letters().show([i for i, mark in marked if mark]) == f"{expected}</s>"
        assert row["num_bytes"] == len(expected)
        last = to_sequences(examples, Letters(), rules(30, learn="last"))
        assert [r.reason for r in last.rejects] == ["no answer is to be learned"] * (
            number
        )


def test_the_report_adds_up_and_the_page_marks_what_is_learned() -> None:
    tally, aside = Tally(rules(8, "truncate").tokenize), []
    tables = [table([("abc", "abcdef"), ("x", None)]), table([("ab", "c")])]
    outcomes = [to_sequences(t, Letters(), rules(8, "truncate")) for t in tables]
    num_rows = sum(t.num_rows for t in tally.tables(outcomes, aside.append))
    report = tally.to_report()
    assert num_rows == 2
    assert report["balance"] == "3 examples = 2 sequences + 1 rejects"
    assert report["counts"]["truncated"] == 1
    assert (report["tokens"], report["trained_tokens"]) == (12, 7)
    assert report["rejects_by_reason"] == {"no answer": 1}
    assert sum(report["length_histogram"].values()) == 2
    assert (report["length"]["min"], report["length"]["max"]) == (4, 10)
    page = to_page({**report, "template_hash": "h"}, tally.shown, Letters())
    assert "abc⟦abcde⟧" in page and "ab⟦c</s>⟧" in page


@given(
    asked=st.text("ab", min_size=1, max_size=3),
    said=st.text("abé", min_size=1, max_size=60),
    overlap=st.integers(0, 4),
)
def test_chunks_learn_every_token_once_and_in_order(
    asked: str, said: str, overlap: int
) -> None:
    outcome = to_sequences(
        table([(asked, said)]), Letters(), rules(8, "chunk", overlap=overlap)
    )
    rows = outcome.sequences.to_pylist()
    learned = [
        token
        for row in rows
        for token, mark in zip(row["input_ids"], row["learned"], strict=True)
        if mark
    ]
    assert Letters().show(learned) == said + "</s>"
    assert "".join(row["messages"][-1]["content"] for row in rows) == said
    assert sum(row["num_bytes"] for row in rows) == len(said.encode())
    assert all(len(row["input_ids"]) <= 8 for row in rows)
    assert all(Letters().show(row["input_ids"]).startswith(asked) for row in rows)
    assert (
        len({row["id"] for row in rows})
        == len(rows)
        == 1 + sum(outcome.num_added.values())
    )
    assert len({row["group"] for row in rows}) == 1


def test_a_chunk_reads_the_end_of_the_one_before() -> None:
    one = to_sequences(
        table([("?", "abcdefghijkl")]), Letters(), rules(8, "chunk", overlap=2)
    )
    shown = [
        "".join(
            chr(token or 46) if mark else chr(token).upper()
            for token, mark in zip(row["input_ids"], row["learned"], strict=True)
        )
        for row in one.sequences.to_pylist()
    ]
    assert shown == ["?abcdefg", "?FGhijkl", "?KL."]


def test_a_prompt_that_leaves_no_room_for_a_chunk_is_a_reject() -> None:
    outcome = to_sequences(table([("abcdefgh", "ab")]), Letters(), rules(8, "chunk"))
    assert [reject.reason for reject in outcome.rejects] == ["too long"]
    assert outcome.sequences.num_rows == 0


def test_each_example_is_learned_in_other_words_too_but_never_a_held_out_one() -> None:
    rows = table([("a", "x"), ("b", "y")]).to_pylist()
    rows[1]["split"] = "test"
    examples = pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)
    ways = ["please {source}", "do {source} now", "{source}!"]
    outcome = to_sequences(examples, Letters(), rules(30, ways=ways, copies=2))
    found = outcome.sequences.to_pylist()
    assert [row["augmented"] for row in found] == [False, False, True, True]
    asked = {row["messages"][0]["content"] for row in found[2:]}
    assert len(asked) == 2 and asked <= {"please a", "do a now", "a!"}
    assert {row["group"] for row in found[2:]} == {"0"}
    assert outcome.num_added["paraphrases"] == 2


def test_only_the_last_answer_is_learned_where_that_is_asked() -> None:
    turns = [("user", "a"), ("assistant", "bc"), ("user", "d"), ("assistant", "ef")]
    rows = table([("a", "x")]).to_pylist()
    rows[0]["messages"] = [Message(role=r, content=c) for r, c in turns]  # type: ignore
    examples = pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)
    every = to_sequences(examples, Letters(), rules(30)).sequences.to_pylist()[0]
    last = to_sequences(examples, Letters(), rules(30, learn="last"))
    row = last.sequences.to_pylist()[0]
    assert every["learned"] == [False, True, True, True, False, True, True, True]
    assert row["learned"] == [False] * 5 + [True] * 3
    assert (every["num_bytes"], row["num_bytes"]) == (4, 2)


def test_an_empty_table_makes_an_empty_report() -> None:
    tally, nothing = Tally(rules(8).tokenize), to_sequences(
        table([]), Letters(), rules(8)
    )
    assert [t.num_rows for t in tally.tables([nothing], list)] == [0]
    assert tally.to_report()["length"] == {}
