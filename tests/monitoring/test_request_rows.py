"""Rows of the request log, written and read."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logged_requests import TIME_MS, served_request

from graft.errors import DataError
from graft.monitoring.features import to_features
from graft.monitoring.request_log.reading import read_rows
from graft.monitoring.request_log.schema import COLUMNS, SCHEMA, Texts, to_row
from graft.monitoring.request_log.shard import Shard, list_shards, write_shard

WORDS = st.text(max_size=20)
REQUESTS = st.builds(
    served_request,
    number=st.integers(0, 10**6),
    id=WORDS,
    status=st.sampled_from([200, 429, 499, 503]),
    outcome=st.sampled_from(["completed", "rejected", "failed"]),
    client=st.none() | WORDS,
    version=st.none() | WORDS,
    group=st.sampled_from([None, "main", "canary", "shadow"]),
    num_prompt_tokens=st.integers(0, 2**31 - 1),
    finishes=st.lists(st.sampled_from(["stop", "length"]), max_size=3),
    duration_s=st.floats(0, 1e6),
    first_token_s=st.none() | st.floats(0, 1e6),
    guards=st.dictionaries(WORDS, st.integers(1, 9), max_size=3),
    prompt_ids=st.lists(st.integers(0, 2**17), max_size=50),
    prompt=st.none() | WORDS,
    completions=st.lists(WORDS, max_size=3),
)


def write(folder: Path, *numbers: int, replaces: tuple[str, ...] = ()) -> Shard:
    """A shard of the requests with these numbers."""
    rows = [to_row(served_request(number), None, None) for number in numbers]
    times = [row["time_ms"] for row in rows]
    shard = Shard.new(min(times), max(times), 1 if replaces else 0)
    write_shard(folder, shard, [pa.Table.from_pylist(rows, SCHEMA)], replaces)
    return shard


def ids(folder: Path, **window: int) -> list[str]:
    return read_rows(folder, columns=["id"], **window)["id"].to_pylist()


@settings(max_examples=30)
@given(requests=st.lists(REQUESTS, min_size=1, max_size=5))
def test_every_request_is_read_back_as_it_was_observed(
    requests, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("log")
    rows = [
        to_row(
            request,
            to_features(request.prompt or "", request.prompt_ids),
            Texts(request.prompt or "", list(request.completions)),
        )
        for request in requests
    ]
    table = pa.Table.from_pylist(rows, SCHEMA)
    first, last = min(r.time_ms for r in requests), max(r.time_ms for r in requests)
    write_shard(folder, Shard.new(first, last, 0), [table])
    found = read_rows(folder)
    assert found.schema.equals(SCHEMA)
    for name in ("id", "status", "version", "guards", "duration_s", "completions"):
        order = sorted(range(len(rows)), key=lambda at: rows[at]["time_ms"])
        assert found[name].to_pylist() == [rows[at][name] for at in order]


def test_rows_of_a_window_come_by_time_whatever_shard_has_them(tmp_path: Path) -> None:
    write(tmp_path, 5, 1, 3)
    write(tmp_path, 4, 2)
    assert ids(tmp_path) == [f"request-{n}" for n in (1, 2, 3, 4, 5)]
    window = {"since_ms": TIME_MS + 2000, "until_ms": TIME_MS + 4000}
    assert ids(tmp_path, **window) == ["request-2", "request-3"]
    assert not ids(tmp_path, since_ms=TIME_MS + 9000)


def test_rows_of_shards_that_were_merged_but_not_yet_removed_count_once(
    tmp_path: Path,
) -> None:
    old = write(tmp_path, 1, 2)
    write(tmp_path, 1, 2, replaces=(old.name,))
    assert ids(tmp_path) == ["request-1", "request-2"]


def test_a_partial_file_is_never_read(tmp_path: Path) -> None:
    shard = write(tmp_path, 1)
    broken = (tmp_path / shard.name).read_bytes()[:100]
    (tmp_path / f".{Shard.new(1, 2, 0).name}.partial").write_bytes(broken)
    assert ids(tmp_path) == ["request-1"]
    assert [one.name for one in list_shards(tmp_path)] == [shard.name]


def test_a_column_that_an_older_shard_lacks_is_null(tmp_path: Path) -> None:
    shard = write(tmp_path, 1)
    path = tmp_path / shard.name
    pq.write_table(
        pq.read_table(path).drop_columns(["error", "num_refusals", "unit"]), path
    )
    (row,) = read_rows(tmp_path).to_pylist()
    assert row["num_refusals"] is None and row["unit"] is None


def test_a_broken_shard_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        read_rows(tmp_path / "nowhere")
    shard = write(tmp_path, 1)
    (tmp_path / shard.name).write_bytes(b"no parquet")
    with pytest.raises(DataError, match=shard.name):
        read_rows(tmp_path)


def test_a_request_with_one_choice_has_its_time_per_token() -> None:
    request = served_request(first_token_s=0.1, duration_s=0.5)
    assert to_row(request, None, None)["s_per_token"] == pytest.approx(0.2)
    two = replace(request, finishes=["stop", "stop"])
    assert to_row(two, None, None)["s_per_token"] is None


def test_the_documentation_has_the_columns_as_they_are() -> None:
    page = Path("docs/REQUEST_LOG.md").read_text("utf-8")
    for name, column in COLUMNS.items():
        assert f"| `{name}` | {column.type} | {column.meaning} |\n" in page
