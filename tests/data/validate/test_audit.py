"""The data contract, its report and its page."""

import json
import math
import re
from collections import Counter
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.config import ValidateConfig
from graft.data.columns import from_lines
from graft.data.validate.audit import Audit, enforce, held_out_prompts
from graft.data.validate.distributions import Lengths, histogram
from graft.data.validate.page import NUM_STRATA, to_page
from graft.errors import DataError
from graft.records import EXAMPLE_SCHEMA

CONFIG = ValidateConfig(min_examples=2, max_errors=0, max_leaked=0, num_shown=2)


def example(n: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"id{n}",
        "messages": [
            {"role": "user", "content": f"ask {n}"},
            {"role": "assistant", "content": f"answer {n}"},
        ],
        "references": [],
        "group": f"g{n}",
        "stratum": "odd" if n % 2 else "even",
        "split": None,
        "where": f"f:{n}",
    } | changes


def audit(lines: list[dict[str, Any]], config: ValidateConfig = CONFIG) -> dict:
    tables = [
        from_lines(lines[at : at + 3], EXAMPLE_SCHEMA) for at in range(0, len(lines), 3)
    ]
    run = Audit(config, held_out_prompts(tables))
    for table in tables:
        run.add(table)
    report = run.to_report(pa.table(t.select(["id", "where"])) for t in tables)
    json.dumps(report)
    assert to_page(report).startswith("<!doctype html>")
    return report


def test_good_examples_pass() -> None:
    report = audit([example(n) for n in range(7)])
    assert report["passed"] and report["num_examples"] == 7
    assert not report["errors"] and not report["error_examples"]
    enforce(report, "page.html")


SYSTEM, USER, ASSISTANT = (
    {"role": role, "content": "text"} for role in ("system", "user", "assistant")
)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"split": "dev"}, "unknown split"),
        ({"group": " "}, "no group"),
        ({"stratum": ""}, "no stratum"),
        ({"id": ""}, "no id"),
        ({"where": "somewhere"}, "no place"),
        ({"messages": [USER]}, "turns out of order"),
        ({"messages": [ASSISTANT, USER]}, "turns out of order"),
        ({"messages": [USER, USER, ASSISTANT]}, "turns out of order"),
        ({"messages": [USER, SYSTEM, ASSISTANT]}, "turns out of order"),
        ({"messages": [USER, {"role": "robot", "content": "x"}]}, "turns out of order"),
        ({"messages": [USER, ASSISTANT | {"content": " "}]}, "blank message"),
        ({"id": "id0"}, "repeated id"),
    ],
)
def test_each_violation_is_reported_with_its_example(
    changes: dict[str, Any], check: str
) -> None:
    report = audit([*(example(n) for n in range(4)), example(4, **changes)])
    assert not report["passed"] and report["errors"] == {check: 1}
    assert report["error_examples"][0]["check"] == check
    with pytest.raises(DataError, match=check) as caught:
        enforce(report, "page.html")
    assert changes.get("where", "f:4") in str(caught.value)
    assert "page.html" in caught.value.fix


@pytest.mark.parametrize(
    "turns",
    [
        [ASSISTANT],
        [USER, ASSISTANT],
        [SYSTEM, ASSISTANT],
        [SYSTEM, USER, ASSISTANT, USER, ASSISTANT],
    ],
)
def test_conversations_of_all_lengths_satisfy_the_contract(turns: list[dict]) -> None:
    assert audit([example(0, messages=turns), example(1)])["passed"]


def test_train_prompts_in_the_test_set_leak_and_are_named() -> None:
    lines = [example(n, split="train") for n in range(4)]
    lines += [example(n) for n in range(4, 6)]
    question = lines[2]["messages"][0]
    answer = {"role": "assistant", "content": "another answer"}
    lines.append(example(6, split="test", messages=[question, answer]))
    report = audit(lines)
    assert report["num_leaked"] == 1 and not report["passed"]
    assert report["leaked"] == [{"check": "leaked", "id": "id2", "where": "f:2"}]
    with pytest.raises(DataError, match="1 train prompts are also in"):
        enforce(report, "page.html")
    allowed = CONFIG.model_copy(update={"max_leaked": 1})
    assert audit(lines, allowed)["passed"]


def test_a_limited_number_of_errors_is_shown_but_all_are_counted() -> None:
    report = audit([example(n, split="dev", stratum="") for n in range(8)])
    assert report["errors"] == {"unknown split": 8, "no stratum": 8}
    assert len(report["error_examples"]) == 2 * CONFIG.num_shown


def test_too_few_examples_or_none_at_all_do_not_pass() -> None:
    for lines in ([], [example(1)]):
        report = audit(lines)
        with pytest.raises(DataError, match="too few"):
            enforce(report, "page.html")


def test_errors_within_the_budget_pass() -> None:
    lines = [example(0), example(1, split="dev")]
    assert audit(lines, CONFIG.model_copy(update={"max_errors": 1}))["passed"]


def test_classes_and_splits_add_up() -> None:
    lines = [example(n, split="train" if n else "test") for n in range(7)]
    report = audit(lines)
    assert report["strata"] == [
        {"name": "even", "count": 4, "share": 0.5714},
        {"name": "odd", "count": 3, "share": 0.4286},
    ]
    assert report["imbalance"] == 1.33
    assert report["splits"] == {"train": 6, "validation": 0, "test": 1, "none": 0}
    assert report["user_chars"]["num"] == 7 and report["user_chars"]["max"] == 5


def test_text_of_the_data_is_escaped_in_the_page() -> None:
    lines = [example(n, stratum="<script>") for n in range(2)]
    page = to_page(audit([*lines, example(3, id="", where="<img>:3")]))
    assert "<script" not in page and "<img" not in page and "&lt;img&gt;" in page


def test_each_cell_of_the_page_carries_its_label_for_screens_without_columns() -> None:
    page = to_page(audit([example(n, stratum=f"c{n}", id="") for n in range(3)]))
    tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
    assert any('class="errors"' in table for table in tables)
    for table in tables:
        heads = re.findall(r'<th scope="col">([^<]+)</th>', table)
        cells = re.findall(r"<td ([^>]*)>", table)
        assert cells and all("plot" in cell or "data-label" in cell for cell in cells)
        assert set(re.findall(r'data-label="([^"]+)"', table)) < set(heads)


def test_the_page_sums_the_classes_that_it_does_not_show() -> None:
    page = to_page(audit([example(n, stratum=f"c{n}") for n in range(NUM_STRATA + 5)]))
    assert "5 others" in page


@given(st.lists(st.integers(0, 5000), min_size=1), st.integers(0, 6000))
def test_a_histogram_loses_no_value(values: list[int], top: int) -> None:
    bins = histogram(Counter(values), top)
    assert sum(item["count"] or 0 for item in bins) == len(values)
    for item in bins:
        low, high = item["low"] or 0, item["high"] or 10_000
        assert item["count"] == sum(low <= value < high for value in values)
    assert len(bins) <= 27


def test_lengths_of_a_role_without_turns_are_empty() -> None:
    lengths = Lengths()
    lengths.add(pl.Series([None, None], dtype=pl.UInt32))
    assert lengths.to_report()["num"] == 0


@given(st.lists(st.lists(st.integers(0, 9)), min_size=1).filter(any))
def test_lengths_counted_by_batch_are_those_of_all(batches: list[list[int]]) -> None:
    lengths = Lengths()
    for batch in batches:
        lengths.add(pl.Series(batch, dtype=pl.UInt32))
    report = lengths.to_report()
    flat = sorted(length for batch in batches for length in batch)
    assert (report["num"], report["min"], report["max"]) == (
        len(flat),
        flat[0],
        flat[-1],
    )
    assert report["median"] == flat[math.ceil(0.5 * len(flat)) - 1]
    assert report["p95"] == flat[math.ceil(0.95 * len(flat)) - 1]
    assert report["mean"] == round(sum(flat) / len(flat), 1)
