"""Data sets of the Hub; no network is needed."""

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graft.errors import DataError
from graft.records import Row
from graft.sources.hub import read_hub

REVISION = "1" * 40
PAIR = {"translation": {"en": "a", "fr": "b"}}


class Streamed(list[dict[str, Any]]):
    """Rows as `datasets` streams them."""

    features: dict[str, str] | None = None

    def select_columns(self, names: list[str]) -> "Streamed":
        return Streamed([{name: row[name] for name in names} for row in self])


class Fake:
    """A builder of one split, train."""

    def __init__(self, rows: list[dict[str, Any]], revision: str | None = REVISION):
        self.hash = revision
        self.config = SimpleNamespace()
        count = SimpleNamespace(num_examples=len(rows))
        self.info = SimpleNamespace(splits={"train": count})
        self.rows = Streamed(rows)
        self.calls: list[Any] = []

    def as_streaming_dataset(self, split: str) -> Streamed:
        self.calls.append(split)
        return self.rows

    def __call__(self, *args: Any, **options: Any) -> "Fake":
        self.calls.append((args, options))
        return self


@pytest.fixture
def data(make_data) -> Any:
    return make_data(
        format="hub",
        files={"train": "train", "all": "extra"},
        fields={"source": "translation.en", "target": "translation.fr"},
        hub_id="wmt/wmt14",
        subset="fr-en",
        revision=REVISION,
    )


def test_the_hub_streams_a_split_at_the_pinned_revision(data) -> None:
    hub = Fake([PAIR])
    rows = list(read_hub(data, "train", "train", hub))
    assert hub.calls == [(("wmt/wmt14", "fr-en"), {"revision": REVISION}), "train"]
    assert rows == [Row(PAIR, "wmt/wmt14/fr-en/train:1", "train")]


@pytest.mark.parametrize("opened", ["2" * 40, "auto", None])
@pytest.mark.parametrize("name", ["train", "train[:1%]"])
def test_another_revision_than_the_pinned_one_is_refused_before_any_row(
    data, opened: str | None, name: str
) -> None:
    hub = Fake([PAIR], opened)
    with pytest.raises(DataError, match="not the pinned one") as caught:
        next(read_hub(data, None, name, hub))
    assert str(opened) in caught.value.problem and len(hub.calls) == 1


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [("[:3]", [0, 1, 2]), ("[2:4]", [2, 3]), ("[90%:]", [9]), ("[:1%]", [])],
)
def test_a_slice_takes_its_rows(data, bounds: str, expected: list[int]) -> None:
    hub = Fake([{"translation": i} for i in range(10)])
    rows = list(read_hub(data, None, f"train{bounds}", hub))
    assert [row.values["translation"] for row in rows] == expected
    assert hub.calls[1:] == ["train"]


def test_a_share_of_a_split_of_unknown_size_is_refused(data) -> None:
    hub = Fake([PAIR])
    hub.info.splits = None
    with pytest.raises(DataError, match="number of rows"):
        list(read_hub(data, None, "train[:1%]", hub))


def test_columns_that_no_field_names_are_left_out(data) -> None:
    hub = Fake([PAIR | {"image": b"..."}])
    hub.rows.features = {"translation": "Translation", "image": "Image"}
    assert list(read_hub(data, None, "train", hub))[0].values == PAIR


@pytest.mark.parametrize(
    "error",
    [ConnectionError("no route to the hub\nlong advice"), TypeError("no route")],
)
def test_a_hub_that_cannot_be_reached_is_a_graft_error(data, error: Exception) -> None:
    def load(*_: Any, **__: Any) -> Any:
        raise error

    with pytest.raises(DataError, match="no route") as caught:
        list(read_hub(data, None, "train", load))
    assert "long advice" not in str(caught.value) and REVISION in caught.value.expected


def cache(home: Path, revision: str, word: str) -> None:
    """Write a data set to the cache as `datasets` does."""
    from datasets import load_dataset

    home.mkdir(exist_ok=True)
    table = pa.table(
        {"en": [f"{word} {i}" for i in range(5)], "n": [[i] for i in range(5)]}
    )
    pq.write_table(table, home / f"{word}.parquet")
    files = {"train": str(home / f"{word}.parquet")}
    load_dataset("parquet", data_files=files, cache_dir=str(home / word))
    made = next((home / word).rglob("dataset_info.json")).parent
    place = home / "datasets/acme___pairs/default/0.0.0" / revision
    shutil.copytree(made, place)
    for file in place.glob("parquet-*.arrow"):
        file.rename(place / file.name.replace("parquet-", "pairs-"))
    info = json.loads((place / "dataset_info.json").read_text())
    info |= {"dataset_name": "pairs", "config_name": "default"}
    (place / "dataset_info.json").write_text(json.dumps(info))
    when = {"old": 1_000, "new": 2_000}[word]
    os.utime(place, (when, when))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_the_datasets_library_has_cached_is_taken_at_its_revision_only(
    tmp_path: Path, make_data
) -> None:
    from datasets import load_dataset_builder

    for revision, word in (("1" * 40, "old"), ("2" * 40, "new")):
        cache(tmp_path, revision, word)

    def load(*args: Any, **options: Any) -> Any:
        return load_dataset_builder(
            *args, cache_dir=str(tmp_path / "datasets"), **options
        )

    def read(revision: str) -> list[Any]:
        data = make_data(
            format="hub",
            files={"all": "train"},
            fields={"source": "en"},
            hub_id="acme/pairs",
            revision=revision,
        )
        return list(read_hub(data, None, "train", load))

    assert [row.values for row in read("2" * 40)] == [
        {"en": f"new {i}"} for i in range(5)
    ]
    for other in ("1" * 40, "3" * 40):
        with pytest.raises(DataError, match="not the pinned one"):
            read(other)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_column_that_is_not_named_may_change_its_type_between_files(
    tmp_path: Path, make_data
) -> None:
    from datasets import load_dataset_builder

    for number, odd in enumerate(([1, 2], ["x", None])):
        table = pa.table({"en": ["a", "b"], "odd": odd})
        pq.write_table(table, tmp_path / f"train-{number}.parquet")
    builder = load_dataset_builder(str(tmp_path))
    data = make_data(
        format="hub",
        files={"all": "train"},
        fields={"source": "en"},
        hub_id=str(tmp_path),
        revision=builder.hash,
    )
    found = list(read_hub(data, None, "train"))
    assert [row.values for row in found] == [{"en": "a"}, {"en": "b"}] * 2
