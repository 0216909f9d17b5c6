"""Leakage: exactly the train rows that overlap with a held-out text are found."""

import string
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from settings import LEAKAGE

from graft.data.split.leakage import HeldOutTexts, Leakage, LeakedPair
from graft.data.split.ngrams import hash_texts, to_ngrams, to_words
from graft.errors import DataError
from graft.records import MESSAGES

SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("id", "where", "group")]
    + [("messages", MESSAGES)]
)
TEXT = "the little grey cat slept all day on the warm roof of the old barn"
SUM = "a shop sells twelve pens in the morning and {} in the evening"


def to_table(rows: Iterable[tuple[str, str]], name: str = "train") -> pa.Table:
    lines = []
    for number, (prompt, answer) in enumerate(rows):
        turns = [("user", prompt), ("assistant", answer)]
        messages = [{"role": r, "content": c} for r, c in turns if c]
        where = f"{name}:{number}"
        line = {"id": f"i{number}", "where": where, "group": where}
        lines.append({**line, "messages": messages})
    return pa.Table.from_pylist(lines, SCHEMA)


def find(
    train: Sequence[tuple[str, str]],
    held_out: Sequence[tuple[str, str]] = (),
    benchmark: Sequence[str] = (),
    **changes: Any,
) -> tuple[list[bool], list[LeakedPair], Leakage]:
    known = HeldOutTexts(LEAKAGE.model_copy(update=changes))
    if held_out:
        known.add_examples(to_table(held_out, "test"))
    if benchmark:
        known.add_texts([f"b:{i}" for i in range(len(benchmark))], benchmark)
    leakage = known.to_leakage()
    table = to_table(train)
    for at in range(0, len(train), 3):
        leakage.observe(table.slice(at, 3))
    found = leakage.find(table)
    return [i in found for i in range(len(train))], list(found.values()), leakage


def test_a_row_that_contains_a_held_out_prompt_leaks() -> None:
    rows = [("say it again", f"Well: {TEXT.upper()}!"), ("hello there", "hi")]
    leaked, pairs, _ = find(rows, [(TEXT, "ok")])
    assert leaked == [True, False]
    assert pairs[0].held_out == "test:0 (id i0)" and pairs[0].overlap == 1
    assert pairs[0].where == "train:0" and pairs[0].shared == f"{TEXT}!"


def test_the_overlap_is_the_share_of_the_held_out_texts_ngrams() -> None:
    head = " ".join(TEXT.split()[:9])
    leaked, pairs, _ = find([(head, "x")], [(TEXT, "x")], threshold=0.3)
    num_ngrams = len(TEXT.split()) - 4
    assert leaked == [True] and pairs[0].overlap == pytest.approx(5 / num_ngrams)
    assert find([(head, "x")], [(TEXT, "x")], threshold=0.6)[0] == [False]


def test_shares_of_several_texts_do_not_add_up() -> None:
    words = TEXT.split()
    mixed = " ".join([*words[:7], "but", *words[:7][::-1]])
    held = [(TEXT, "x"), (" ".join(words[::-1]), "x")]
    assert find([(mixed, "x")], held, threshold=0.5)[0] == [False]


def test_a_short_prompt_leaks_only_as_a_whole() -> None:
    train = [("What is 3 + 4?", "7"), ("what is 3 - 4", "-1"), ("3 + 4", "7")]
    assert find(train, [("what is 3 + 4", "seven")])[0] == [True, False, False]


def test_an_equal_short_answer_is_no_leak() -> None:
    train, held = [("is it warm", "Yes.")], [("is it cold", "Yes.")]
    assert find(train, held, answers=True)[0] == [False]


def test_long_answers_count_only_if_configured() -> None:
    train, held = [("tell me", TEXT)], [("go on then", TEXT)]
    assert find(train, held)[0] == [False]
    assert find(train, held, answers=True)[0] == [True]


def test_plain_completion_is_compared_by_its_only_text() -> None:
    assert find([("", TEXT), ("", "an other text")], [("", TEXT)])[0] == [True, False]


def test_another_sum_is_another_example() -> None:
    train = [(SUM.format(f"sells {i} more"), "x") for i in range(30)]
    held = [(SUM.format(f"sells {i} more"), "x") for i in range(30, 50)]
    leaked, _, leakage = find(train, held)
    assert not any(leaked)
    assert leakage.to_report()["num_common_ngrams"]


def test_boilerplate_of_many_groups_is_no_leak_but_its_content_is() -> None:
    frame = "solve the problem step by step and give the answer at the end {}"
    train = [(frame.format(word * 3), "x") for word in string.ascii_lowercase]
    leaked, pairs, _ = find([*train, (frame.format(TEXT), "x")], [(TEXT, "x")])
    assert [*np.flatnonzero(leaked)] == [26] and pairs[0].overlap == 1
    assert not any(find(train, [(frame.format("something else"), "x")])[0])


def test_many_answers_to_one_leaked_prompt_all_leak() -> None:
    longer = f"please {TEXT}"
    table = [(longer, f"answer {i}") for i in range(40)]
    known = HeldOutTexts(LEAKAGE)
    known.add_examples(to_table([(TEXT, "x")], "test"))
    leakage = known.to_leakage()
    one_group = to_table(table).set_column(2, "group", pa.array(["g"] * 40))
    leakage.observe(one_group)
    assert len(leakage.find(one_group)) == 40


def test_short_benchmark_texts_are_not_compared() -> None:
    train = [("yes", "no"), ("what is the capital", "Paris"), (TEXT, "x")]
    leaked, pairs, _ = find(train, benchmark=["yes", "What is the capital?", TEXT])
    assert leaked == [False, True, True]
    assert [pair.held_out for pair in pairs] == ["b:1", "b:2"]


def test_the_report_shows_the_worst_pairs_first() -> None:
    head = " ".join(TEXT.split()[:12])
    _, _, leakage = find([(head, "x"), (TEXT, "x")], [(TEXT, "x")], num_shown=1)
    report = leakage.to_report()
    assert report["num_leaked"] == 2
    assert [pair["where"] for pair in report["pairs"]] == ["train:1"]  # type: ignore


def test_the_policy_fail_names_the_pairs_past_the_budget() -> None:
    rows, held = [(TEXT, "x")], [(TEXT, "x")]
    leakage = find(rows, held, policy="fail")[2]
    with pytest.raises(DataError, match="(?s)1 train rows.*train:0.*test:0"):
        leakage.enforce()
    find(rows, held, policy="fail", max_leaked=1)[2].enforce()
    find(rows, held, policy="report")[2].enforce()


def test_empty_batches_are_allowed() -> None:
    known, empty = HeldOutTexts(LEAKAGE), to_table([])
    known.add_examples(empty)
    known.add_examples(to_table([(TEXT, "x")], "test"))
    leakage = known.to_leakage()
    leakage.observe(empty)
    leakage.observe(to_table([(TEXT, "x")]))
    assert not leakage.find(empty) and leakage.find(to_table([(TEXT, "x")]))


def test_nothing_held_out_or_nothing_to_train_leaks_nothing() -> None:
    assert find([(TEXT, "x")])[0] == [False]
    assert not find([], [(TEXT, "x")])[1]


WORDS = st.lists(st.text("abcé1", min_size=1, max_size=3), max_size=12)


@given(st.lists(WORDS, min_size=1, max_size=6), st.integers(2, 4))
def test_ngrams_are_those_of_the_words(texts: list[list[str]], n: int) -> None:
    words = to_words(pl.Series([" ".join(text) for text in texts], dtype=pl.String))
    hashes, first = to_ngrams(words, n)
    wanted = [tuple(t[i : i + n]) for t in texts for i in range(len(t) - n + 1)]
    assert len(set(hashes.tolist())) == len(set(wanted)) and len(hashes) == len(wanted)
    assert [words.spell(i, n) for i in first] == [" ".join(gram) for gram in wanted]
    wholes, counts = hash_texts(words, len(texts))
    assert counts.tolist() == [len(text) for text in texts]
    assert len(set(wholes.tolist())) == len({tuple(text) for text in texts})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Don’t stop, now!", "don't stop now", True),
        ("well-known cat", "well known cat", True),
        ("L’ÉTÉ « chaud »", "l'été chaud", True),
        ("3 - 4", "3 + 4", False),
        ("漢字", "漢 字", True),
        ("ab c", "a bc", False),
        ("", "...", True),
    ],
)
def test_words_ignore_case_and_punctuation_but_not_signs(
    one: str, other: str, same: bool
) -> None:
    wholes, _ = hash_texts(to_words(pl.Series([one, other])), 2)
    assert (wholes[0] == wholes[1]) is np.bool_(same)


def test_hashes_are_the_same_on_every_machine() -> None:
    wholes, _ = hash_texts(to_words(pl.Series(["The same words."])), 1)
    assert wholes[0] == 4946794233148143710
