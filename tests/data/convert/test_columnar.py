"""Conversion in columns gives the same examples as conversion row by row."""

from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graft.data.convert.columnar import is_plain, to_plain
from graft.data.convert.conversion import convert
from graft.data.convert.examples import to_example
from graft.records import Reject, Row
from graft.records.row_batch import RowList
from graft.tasks import get_task

TASK = get_task("translation")
TEXT = st.sampled_from(["a", " b ", "", " \t", "\x1f", "caf\udce9", "l’été", "<b>"])
VALUE = TEXT | st.none() | st.integers(0, 9) | st.text(max_size=4)
ROW = st.fixed_dictionaries(
    {"en": VALUE, "fr": VALUE},
    optional={
        "doc": st.sampled_from(["d1", " d2 ", "", 7, 7.5, True, "x\x1fy"]),
        "set": st.sampled_from(["train", "test", "dev", "", None]),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, max_size=6), st.booleans(), st.booleans())
def test_columns_and_single_rows_give_the_same_examples(
    make_data, rows: list[dict[str, Any]], group: bool, split: bool
) -> None:
    data = make_data(group="doc" if group else None, split="set" if split else None)
    batch = RowList([Row(row, f"f:{n}", "train") for n, row in enumerate(rows)])
    slow = [to_example(batch.rows[n], data, TASK) for n in range(len(rows))]
    for line in to_plain(batch, data, TASK).to_dicts():
        assert slow[line.pop("at")] == line
    done = convert(batch, data, TASK)
    assert done.examples.to_pylist() == [e for e in slow if not isinstance(e, Reject)]
    assert [at for at, _ in done.rejects] == [
        n for n, e in enumerate(slow) if isinstance(e, Reject)
    ]


def test_all_plain_rows_are_converted_in_columns(make_data) -> None:
    batch = RowList([Row({"en": f"e{n}", "fr": f"f{n}"}, f"f:{n}") for n in range(9)])
    assert to_plain(batch, make_data(), TASK)["at"].to_list() == list(range(9))


def test_a_task_that_builds_turns_and_a_source_with_requirements_are_not_plain(
    make_data,
) -> None:
    assert is_plain(make_data(), TASK)
    assert not is_plain(make_data(required=["en"]), TASK)
    fields = {"question": "en", "answers": "fr"}
    assert not is_plain(make_data(fields=fields), get_task("question_answering"))


def test_columns_and_rows_of_a_parquet_file_are_the_same(tmp_path, make_data) -> None:
    from graft.sources import read_row_batches

    lines = [
        {"t": {"en": f"e{n}", "fr": f"f{n}"}, "n": n, "kind": "k"} for n in range(5)
    ]
    pl.DataFrame(lines).write_parquet(tmp_path / "pairs.parquet")
    fields = {"source": "t.en", "target": "t.fr"}
    data = make_data(
        format="parquet", files={"train": "*.parquet"}, fields=fields, group="n"
    )
    (batch,) = read_row_batches(data)
    rows = RowList([batch.row(at) for at in range(len(batch))])
    assert len(to_plain(batch, data, TASK)) == 5
    assert to_plain(batch, data, TASK).equals(to_plain(rows, data, TASK))
