"""Every example becomes sequences or a counted reject."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from letter_template import Letters, settings, table

from graft.data.tokenize.report import TokenCounts, to_page
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
    outcome = to_sequences(table(pairs), Letters(), settings(10, overlong))
    seen = outcome.sequences["where"].to_pylist() + [r.where for r in outcome.rejects]
    assert sorted(seen) == sorted(f"file:{i}" for i in range(len(pairs)))
    rows = outcome.sequences.to_pylist()
    assert all(len(row["input_ids"]) == len(row["loss_mask"]) <= 10 for row in rows)
    assert all(any(row["loss_mask"]) for row in rows)


def test_an_overlong_sequence_becomes_a_reject() -> None:
    outcome = to_sequences(
        table([("abc", "abcdef"), ("a", "b")]), Letters(), settings(8)
    )
    assert outcome.sequences["id"].to_pylist() == ["id1"]
    (reject,) = outcome.rejects
    assert (reject.where, reject.reason, reject.value) == (
        "file:0",
        "too long",
        "10 tokens",
    )


def test_a_truncated_answer_loses_its_stop_token_and_is_counted() -> None:
    pairs = [("abc", "abcdef"), ("abcdefgh", "ab")]
    outcome = to_sequences(table(pairs), Letters(), settings(8, "truncate"))
    (row,) = outcome.sequences.to_pylist()
    assert Letters().show(row["input_ids"]) == "abcabcde"
    assert outcome.num_truncated == 1
    assert [reject.where for reject in outcome.rejects] == ["file:1"]
    assert outcome.lengths.tolist() == [10, 11]


def test_a_prompt_truncated_at_the_left_has_the_messages_that_are_left() -> None:
    pairs = [("a", "b"), ("abc de fg", "xy"), ("ab", "abcdefgh")]
    outcome = to_sequences(table(pairs), Letters(), settings(8, "truncate_left"))
    rows = outcome.sequences.to_pylist()
    assert [row["id"] for row in rows] == ["id0", "id1"]
    assert rows[1]["messages"][0]["content"] == "de fg"
    assert Letters().show(rows[1]["input_ids"]) == "de fgxy</s>"
    assert (outcome.num_truncated, rows[1]["num_bytes"]) == (1, 2)
    assert [reject.where for reject in outcome.rejects] == ["file:2"]


def test_a_broken_mask_stops_the_stage_and_names_the_example() -> None:
    with pytest.raises(
        TemplateError, match=r"file:0 \(example id0\).*end-of-turn token"
    ):
        to_sequences(table([("a", "b")]), Letters(loss_on_end=False), settings(8))


def test_a_chat_that_the_template_refuses_is_a_reject_with_its_reason() -> None:
    pairs = [("a", "b"), ("a", None), ("b", "refused"), ("c", "d")]
    outcome = to_sequences(table(pairs), Letters(), settings(8))
    assert outcome.sequences["id"].to_pylist() == ["id0", "id3"]
    assert [(r.where, r.reason, r.fix) for r in outcome.rejects[1:]] == [
        ("file:2", "drops a turn", "mend it")
    ]
    copied = to_sequences(
        table(pairs), Letters(), settings(30, paraphrases=["please {source}"], copies=1)
    )
    assert copied.num_added["paraphrases"] == 2
    assert len(copied.rejects) == 2


def test_a_template_that_refuses_every_example_stops_the_stage() -> None:
    outcome = to_sequences(table([("b", "refused")]), Letters(), settings(8))
    with pytest.raises(DataError, match="drops a turn"):
        list(TokenCounts(settings(8).tokenize).count([outcome], list))


def test_an_answer_marked_as_without_loss_carries_none() -> None:
    turns = [("user", "a"), ("assistant", "bc"), ("user", "d"), ("assistant", "efg")]
    for number, expected in ((0, "efg"), (1, "bc")):
        rows = table([("a", "x")]).to_pylist()
        rows[0]["messages"] = [{"role": r, "content": c} for r, c in turns]
        rows[0]["messages"][2 * number + 1]["learn"] = False
        examples = pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)
        (row,) = to_sequences(examples, Letters(), settings(30)).sequences.to_pylist()
        pairs = zip(row["input_ids"], row["loss_mask"], strict=True)
        assert Letters().show([i for i, loss in pairs if loss]) == f"{expected}</s>"
        assert row["num_bytes"] == len(expected)
        last = to_sequences(examples, Letters(), settings(30, trained="last"))
        assert [r.reason for r in last.rejects] == ["no answer carries loss"] * (number)


def test_the_report_adds_up_and_the_page_shows_the_loss_mask() -> None:
    counts, rejects = TokenCounts(settings(8, "truncate").tokenize), []
    tables = [table([("abc", "abcdef"), ("x", None)]), table([("ab", "c")])]
    outcomes = [to_sequences(t, Letters(), settings(8, "truncate")) for t in tables]
    num_rows = sum(t.num_rows for t in counts.count(outcomes, rejects.append))
    report = counts.to_report()
    assert num_rows == 2
    assert report["balance"] == "3 examples = 2 sequences + 1 rejects"
    assert report["counts"]["truncated"] == 1
    assert (report["tokens"], report["trained_tokens"]) == (12, 7)
    assert report["rejects_by_reason"] == {"no answer": 1}
    assert sum(report["length_histogram"].values()) == 2
    assert (report["length"]["min"], report["length"]["max"]) == (4, 10)
    page = to_page({**report, "template_hash": "h"}, counts.shown, Letters().show)
    assert "abc⟦abcde⟧" in page and "ab⟦c</s>⟧" in page


@given(
    prompt=st.text("ab", min_size=1, max_size=3),
    answer=st.text("abé", min_size=1, max_size=60),
    overlap=st.integers(0, 4),
)
def test_in_chunks_every_token_carries_loss_once_and_in_order(
    prompt: str, answer: str, overlap: int
) -> None:
    outcome = to_sequences(
        table([(prompt, answer)]), Letters(), settings(8, "chunk", overlap=overlap)
    )
    rows = outcome.sequences.to_pylist()
    with_loss = [
        token
        for row in rows
        for token, loss in zip(row["input_ids"], row["loss_mask"], strict=True)
        if loss
    ]
    assert Letters().show(with_loss) == answer + "</s>"
    assert "".join(row["messages"][-1]["content"] for row in rows) == answer
    assert sum(row["num_bytes"] for row in rows) == len(answer.encode())
    assert all(len(row["input_ids"]) <= 8 for row in rows)
    assert all(Letters().show(row["input_ids"]).startswith(prompt) for row in rows)
    assert (
        len({row["id"] for row in rows})
        == len(rows)
        == 1 + sum(outcome.num_added.values())
    )
    assert len({row["group"] for row in rows}) == 1


def test_a_chunk_repeats_the_end_of_the_one_before_without_loss() -> None:
    one = to_sequences(
        table([("?", "abcdefghijkl")]), Letters(), settings(8, "chunk", overlap=2)
    )
    shown = [
        "".join(
            chr(token or 46) if loss else chr(token).upper()
            for token, loss in zip(row["input_ids"], row["loss_mask"], strict=True)
        )
        for row in one.sequences.to_pylist()
    ]
    assert shown == ["?abcdefg", "?FGhijkl", "?KL."]


def test_a_prompt_that_leaves_no_room_for_a_chunk_is_a_reject() -> None:
    outcome = to_sequences(table([("abcdefgh", "ab")]), Letters(), settings(8, "chunk"))
    assert [reject.reason for reject in outcome.rejects] == ["too long"]
    assert outcome.sequences.num_rows == 0


def test_paraphrases_are_added_but_never_of_a_held_out_example() -> None:
    rows = table([("a", "x"), ("b", "y")]).to_pylist()
    rows[1]["split"] = "test"
    examples = pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)
    patterns = ["please {source}", "do {source} now", "{source}!"]
    outcome = to_sequences(
        examples, Letters(), settings(30, paraphrases=patterns, copies=2)
    )
    found = outcome.sequences.to_pylist()
    assert [row["augmented"] for row in found] == [False, False, True, True]
    prompts = {row["messages"][0]["content"] for row in found[2:]}
    assert len(prompts) == 2 and prompts <= {"please a", "do a now", "a!"}
    assert {row["group"] for row in found[2:]} == {"0"}
    assert outcome.num_added["paraphrases"] == 2


def test_with_trained_answers_last_only_the_last_answer_carries_loss() -> None:
    turns = [("user", "a"), ("assistant", "bc"), ("user", "d"), ("assistant", "ef")]
    rows = table([("a", "x")]).to_pylist()
    rows[0]["messages"] = [Message(role=r, content=c) for r, c in turns]  # type: ignore
    examples = pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)
    every = to_sequences(examples, Letters(), settings(30)).sequences.to_pylist()[0]
    last = to_sequences(examples, Letters(), settings(30, trained="last"))
    row = last.sequences.to_pylist()[0]
    assert every["loss_mask"] == [False, True, True, True, False, True, True, True]
    assert row["loss_mask"] == [False] * 5 + [True] * 3
    assert (every["num_bytes"], row["num_bytes"]) == (4, 2)


def test_an_empty_table_makes_an_empty_report() -> None:
    counts = TokenCounts(settings(8).tokenize)
    nothing = to_sequences(table([]), Letters(), settings(8))
    assert [t.num_rows for t in counts.count([nothing], list)] == [0]
    assert counts.to_report()["length"] == {}
