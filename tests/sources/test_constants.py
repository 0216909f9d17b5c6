"""Constants of a source, beside paths into lists and references, in every format."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graft.data.convert.conversion import Conversion
from graft.errors import DataError
from graft.sources import read_row_batches
from graft.tasks import get_task


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
