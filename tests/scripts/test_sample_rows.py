"""Claims about data/sample/pairs.jsonl: what it holds, hides and spoils."""

import json
from functools import cache
from pathlib import Path
from random import Random

import make_sample
from sample import dirt
from sample.grammar import sentence
from sample.heldout import HELD_OUT_PERCENT, any_held_out, is_held_out, words

PATH = Path(__file__).parents[2] / "data/sample/pairs.jsonl"


@cache
def rows():
    found = []
    for line in PATH.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            found.append(None)
    return found


def clean_rows(split):
    """Rows as the grammar made them: the faults leave their marks."""
    return [row for row in rows() if row and row.get("split") == split]


@cache
def small(seed):
    return make_sample.build_lines(seed, num_train=600, num_test=30)


def test_the_file_is_what_the_script_writes():
    made = "\n".join(make_sample.build_lines()) + "\n"
    assert PATH.read_bytes() == made.encode()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    again = make_sample.build_lines(7, num_train=600, num_test=30)
    assert small(7) == again
    assert small(7) != small(8)


def test_the_file_is_at_most_three_megabytes():
    assert PATH.stat().st_size <= 3_000_000


def test_rows_are_train_plus_faults_plus_test():
    spoiled = sum(dirt.COUNTS.values())
    expected = make_sample.NUM_TRAIN + spoiled + make_sample.NUM_TEST
    assert len(rows()) == expected
    assert len(clean_rows("test")) == make_sample.NUM_TEST


def test_each_fault_occurs_as_often_as_it_says():
    train = [row for row in rows() if row is None or row["split"] == "train"]
    whole = [r for r in train if r and r.get("en", "").strip() and "fr" in r]
    whole = [row for row in whole if row["fr"].strip()]
    sides = [(row["en"], row["fr"]) for row in whole]
    found = {
        "duplicate": len(sides) - len(set(sides)),
        "mojibake": sum("Ã" in fr or "Å" in fr for _, fr in sides),
        "html": sum(any(c in en for c in "<&") for en, _ in sides),
        "control": sum("\x07" in en for en, _ in sides),
        "whitespace": sum(en.startswith("  ") for en, _ in sides),
        "email": sum("@" in en for en, _ in sides),
        "empty_side": sum(
            "" in {r["en"].strip(), r.get("fr", "-").strip()} for r in train if r
        ),
        "missing_field": sum("fr" not in row for row in train if row),
        "broken_json": train.count(None),
        "identical_sides": sum(en == fr for en, fr in sides),
        "length_ratio": sum(len(fr) > 5 * len(en) for en, fr in sides),
    }
    assert found == dirt.COUNTS


def test_test_rows_are_clean_and_never_in_train():
    train = {row["en"] for row in clean_rows("train")}
    test = [row["en"] for row in clean_rows("test")]
    assert len(set(test)) == len(test)
    assert not train & set(test)
    for row in clean_rows("test"):
        assert row["en"] == row["en"].strip() and "<" not in row["en"] + row["fr"]


def test_every_word_of_the_test_set_occurs_in_train():
    for side in ("en", "fr"):
        known = set()
        for row in clean_rows("train"):
            known |= words(row.get(side, ""))
        for row in clean_rows("test"):
            assert words(row[side]) <= known


def test_train_never_sees_a_held_out_combination_and_test_always_does():
    rng = Random(5)
    train = make_sample.draw_train(rng, 400)
    assert not any(any_held_out(made.pairs) for made in train)
    known = make_sample.draw_train(rng, 5000)
    test = make_sample.draw_test(rng, 40, known)
    assert all(any_held_out(made.pairs) for made in test)


def test_the_rule_holds_out_about_the_share_that_it_states():
    rng = Random(9)
    pairs = set().union(*(sentence(rng).pairs for _ in range(6000)))
    share = 100 * sum(is_held_out(pair) for pair in pairs) / len(pairs)
    assert abs(share - HELD_OUT_PERCENT) < 2
