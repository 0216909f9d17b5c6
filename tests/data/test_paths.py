"""Paths into lists, constants of a source, and several references, in every format."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from graft.data.convert.conversion import Conversion
from graft.errors import ConfigError, DataError
from graft.field_paths import ABSENT
from graft.records import Row
from graft.sources import read_row_batches
from graft.tasks import get_task

ROW = {
    "instances": [
        {"input": "a", "output": ["b", "c"]},
        {"input": "d", "output": ["e"]},
    ],
    "price [EUR]": "7",
    "odd[0]": "literal",
    "deep": {"list": [[1, 2], [3]]},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("instances[0].input", "a"),
        ("instances[1].output[0]", "e"),
        ("instances[*].input", ["a", "d"]),
        ("instances[*].output[*]", ["b", "c", "e"]),
        ("instances[*].output[1]", ["c", ABSENT]),
        ("deep.list[0][1]", 2),
        ("price [EUR]", "7"),
        ("odd[0]", "literal"),
        ("instances[2].input", ABSENT),
        ("instances.input", ABSENT),
        ("deep[0]", ABSENT),
    ],
)
def test_a_path_goes_into_lists(path: str, value: Any) -> None:
    assert Row(ROW, "f:1").get(path) == value


@pytest.mark.parametrize(
    "path", ["a[", "a]", "a[]", "a[-1]", "a[1:2]", "a[ 0 ]", "a[**]", "[0]", "a[0]b"]
)
def test_a_path_that_is_none_is_refused_by_name(path: str, make_data) -> None:
    with pytest.raises(ValidationError, match="fields.source"):
        make_data(fields={"source": path, "target": "fr"})


def test_one_value_takes_no_list_of_all(make_data) -> None:
    with pytest.raises(ValidationError, match="group"):
        make_data(group="a[*].b")
    with pytest.raises(ConfigError, match="data.fields.target"):
        get_task("translation").check_fields({"source": "a", "target": "b[*]"})


def convert(data, name: str = "translation") -> tuple[list[dict[str, Any]], list[Any]]:
    aside: list[pa.Table] = []
    run = Conversion(data, get_task(name), 100, aside.append)
    lines = [x for t in run.tables(read_row_batches(data)) for x in t.to_pylist()]
    return lines, [x for t in aside for x in t.to_pylist()]


ROWS = [
    {"t": [{"en": f"house {n}", "fr": f"maison {n}"}], "more": [{"x": "logis"}]}
    for n in range(3)
] + [{"t": [], "more": []}]


def write(data) -> None:
    path = data.root / data.files["all"]
    if data.format == "parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif data.format == "json":
        path.write_text(json.dumps(ROWS))
    else:
        path.write_text("\n".join(map(json.dumps, ROWS)))


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_lists_constants_and_references_reach_the_examples(
    kind: str, make_data
) -> None:
    fields = {"source": "t[0].en", "target": "t[0].fr", "references": "more[*].x"}
    data = make_data(
        format=kind, fields=fields, constants={"language": "fr"}, stratum="language"
    )
    write(data)
    lines, aside = convert(data)
    assert [line["messages"][1]["content"] for line in lines] == [
        f"maison {n}" for n in range(3)
    ]
    assert {line["stratum"] for line in lines} == {"fr"}
    assert all(line["references"] == ["logis"] for line in lines)
    assert [line["reason"] for line in aside] == ["missing field t[0].en"]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_constant_is_not_a_column_of_the_source(kind: str, make_data) -> None:
    data = make_data(format=kind, constants={"lang": "fr"}, stratum="lang")
    rows = [{"en": "a", "fr": "b", "lang": "en"}]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), data.root / "pairs.jsonl")
    else:
        (data.root / "pairs.jsonl").write_text(json.dumps(rows[0]))
    with pytest.raises(DataError, match="data.constants.lang"):
        convert(data)


def test_the_gold_answer_is_not_a_further_reference() -> None:
    fields = {
        "instruction": "Boil.",
        "steps": ["Wait."],
        "references": ["Wait.", "So."],
    }
    assert get_task("instruction").to_example(fields)[1] == ["So."]
