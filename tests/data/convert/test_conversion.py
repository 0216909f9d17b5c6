"""Rows → examples or rejects, and their counts."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graft.data.balance import RowBalance
from graft.data.convert.conversion import Conversion
from graft.data.convert.examples import to_example
from graft.errors import DataError
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA, Reject, Row
from graft.records.row_batch import to_batches
from graft.tasks import get_task

TASK = get_task("translation")


class Run(Conversion):
    """A conversion row by row that keeps its rejects."""

    def __init__(self, data, max_rejects: int) -> None:
        self.aside: list[pa.Table] = []
        super().__init__(data, TASK, max_rejects, self.aside.append)

    @property
    def rejects(self) -> list[Reject]:
        """The rejects so far."""
        return [Reject(**line) for t in self.aside for line in t.to_pylist()]


def conversion(data, max_rejects: int = 100) -> Run:
    return Run(data, max_rejects)


def examples(run: Run, rows: list[Any]) -> list[dict[str, Any]]:
    tables = list(run.tables(to_batches(rows, 3)))
    assert all(table.schema == EXAMPLE_SCHEMA for table in tables)
    return [line for table in tables for line in table.to_pylist()]


def rows(*values: Any) -> list[Row]:
    good = Row({"en": "good", "fr": "bon"}, "f:0")
    return [good, *(Row(value, f"f:{n}") for n, value in enumerate(values, 1))]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"en": "a"}, "missing field fr"),
        ({"en": "a", "fr": None}, "missing field fr"),
        ({"en": "a", "fr": ""}, "empty field fr"),
        ({"en": " \t\u00a0", "fr": "b"}, "empty field en"),
        ({"en": "a", "fr": 3}, "wrong type in fr"),
        ({"en": ["a"], "fr": "b"}, "wrong type in en"),
        ({"en": "caf\udce9", "fr": "b"}, "bad bytes"),
        ({"en": "half \ud83d", "fr": "b"}, "bad bytes"),
        ({}, "missing field en"),
    ],
)
def test_a_bad_row_becomes_a_reject_with_file_and_row(
    make_data, values: dict[str, Any], reason: str
) -> None:
    run = conversion(make_data())
    assert len(examples(run, rows(values))) == 1
    assert len(run.rejects) == 1
    reject = run.rejects[0]
    assert (reject.where, reject.reason) == ("f:1", reason)
    assert reject.expected and reject.fix
    assert run.aside[0].schema == REJECT_SCHEMA
    assert run.rows_in == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"licence": " "}, "missing field licence"),
        ({"score": 1.5}, "score out of range"),
        ({"score": "high"}, "no number in score"),
        ({"kind": "gossip"}, "unknown stratum"),
    ],
)
def test_a_row_that_violates_a_requirement_of_the_source_is_rejected(
    make_data, change: dict[str, Any], reason: str
) -> None:
    data = make_data(
        stratum="kind", strata=["news"], required=["licence"], ranges={"score": (0, 1)}
    )
    good = {"en": "a", "fr": "b", "kind": "news", "licence": "CC0", "score": 0.5}
    run = conversion(data)
    found = examples(run, [Row(good, "f:1"), Row(good | change, "f:2")])
    assert [line["where"] for line in found] == ["f:1"]
    assert [(r.where, r.reason) for r in run.rejects] == [("f:2", reason)]


def test_a_bad_byte_is_named_with_its_place(make_data) -> None:
    run = conversion(make_data())
    examples(run, rows({"en": "un caf\udce9 noir", "fr": "b"}))
    assert "0xE9 at character 7" in run.rejects[0].value
    assert "data.encoding" in run.rejects[0].fix


def test_split_group_and_stratum_come_from_their_columns(make_data) -> None:
    data = make_data(group="doc", stratum="kind", split="set")
    values = {"en": "a", "fr": "b", "doc": 7, "kind": " news ", "set": "test"}
    unknown = values | {"set": "dev"}
    nothing = values | {"doc": None}
    run = conversion(data)
    (line,) = examples(run, rows(values, unknown, nothing)[1:])
    assert (line["group"], line["stratum"], line["split"]) == ("7", "news", "test")
    reasons = [reject.reason for reject in run.rejects]
    assert reasons == ["unknown split in set", "missing field doc"]


def test_ids_do_not_depend_on_other_rows(make_data) -> None:
    many = [Row({"en": f"e{n}", "fr": f"f{n}"}, f"f:{n}") for n in range(9)]
    before = {e["where"]: e["id"] for e in examples(conversion(make_data()), many)}
    moved = [Row({"en": "new", "fr": "neu"}, "f:99"), *reversed(many[3:])]
    after = {e["where"]: e["id"] for e in examples(conversion(make_data()), moved)}
    assert len(set(before.values())) == 9
    assert all(after[where] == before[where] for where in after if where != "f:99")


def test_past_the_limit_the_error_shows_the_first_rejects(make_data) -> None:
    run = conversion(make_data(), max_rejects=3)
    with pytest.raises(DataError, match="4 of the first 5 rows") as caught:
        examples(run, rows(*[{"en": "a", "fr": ""}] * 9))
    assert "f:1: empty field fr" in str(caught.value)


def test_a_column_in_no_row_is_one_error_with_the_nearest_name(make_data) -> None:
    data = make_data(fields={"source": "en", "target": "french"})
    run = conversion(data, max_rejects=1000)
    many = [Row({"en": "a", "frenche": "b"}, "f:1")] * 20
    with pytest.raises(DataError, match="did you mean frenche") as caught:
        examples(run, many)
    assert caught.value.where == "data.fields.target"


def test_a_misspelt_stratum_column_is_an_error_too(make_data) -> None:
    with pytest.raises(DataError, match="no row of pairs has a column 'kind'"):
        examples(conversion(make_data(stratum="kind")), rows())


def test_a_nested_column_is_found_by_its_path(make_data) -> None:
    data = make_data(fields={"source": "t.en", "target": "t.fr"})
    run = conversion(data)
    found = [Row({"t": {"en": "a", "fr": "b"}}, "f:1"), Row({"t": None}, "f:2")]
    assert len(examples(run, found)) == 1 and len(run.rejects) == 1
    wrong = make_data(fields={"source": "t.en", "target": "t.de"})
    with pytest.raises(DataError) as caught:
        examples(conversion(wrong), found[:1])
    assert "t.en, t.fr" in caught.value.expected


def test_preferences_are_refused_by_name_and_a_configured_side_is_used(
    make_data,
) -> None:
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    values = {"conversations": chat[:1], "chosen": chat, "rejected": chat}
    row, task = Row(values, "f:1"), get_task("reasoning")
    refused = to_example(row, make_data(fields={"turns": "conversations"}), task)
    assert isinstance(refused, Reject) and refused.reason == "preference data"
    taken = to_example(row, make_data(fields={"turns": "chosen"}), task)
    assert not isinstance(taken, Reject) and taken["messages"][1]["content"] == "b"
    with pytest.raises(DataError, match="preference data"):
        list(conversion(make_data()).tables(to_batches([row], 1)))


def test_a_source_of_rejects_alone_is_an_error(make_data) -> None:
    with pytest.raises(DataError, match="no row became an example"):
        examples(conversion(make_data()), rows({"en": "", "fr": "b"})[1:])


VALUE = st.none() | st.integers() | st.text() | st.sampled_from(["\udce9", "\ud83d x"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["en", "fr"]), VALUE).map(
            lambda values: Row(values, "f:1")
        )
        | st.just(Reject("f:1", "convert", "broken JSON", "", "", ""))
    )
)
def test_every_row_becomes_an_example_or_a_reject(
    make_data, found: list[Row | Reject]
) -> None:
    run = conversion(make_data(), max_rejects=10_000)
    num_examples = 0
    try:
        for table in run.tables(to_batches(found, 3)):
            num_examples += table.num_rows
    except DataError:
        assert not num_examples
        return
    RowBalance("convert", run.rows_in, num_examples, run.reasons)
    assert run.rows_in == len(found)


def test_a_balance_that_does_not_add_up_is_an_assertion_error() -> None:
    assert "3 rows in = 1 kept + 2 rejected (b 2)" in str(
        RowBalance("s", 3, 1, {"b": 2})
    )
    with pytest.raises(AssertionError, match="1 rows are neither"):
        RowBalance("s", 4, 1, {"b": 2})
