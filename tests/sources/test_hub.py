"""Data sets of the hub; no network is needed."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graft.errors import DataError
from graft.records import Row
from graft.sources import read_rows
from graft.sources.hub import read_hub


@pytest.fixture
def data(make_data) -> Any:
    return make_data(
        format="hub",
        files={"train": "train", "all": "extra"},
        hub_id="wmt/wmt14",
        subset="fr-en",
        revision="abc",
    )


def test_the_hub_is_asked_to_stream_a_split_at_the_pinned_revision(data) -> None:
    asked: list[Any] = []

    def load(*args: Any, **options: Any) -> list[dict[str, Any]]:
        asked.append((args, options))
        return [{"translation": {"en": "a", "fr": "b"}}]

    rows = list(read_hub(data, "train", "train", load))
    options = {"split": "train", "revision": "abc", "streaming": True}
    assert asked == [(("wmt/wmt14", "fr-en"), options)]
    assert rows == [
        Row({"translation": {"en": "a", "fr": "b"}}, "wmt/wmt14/fr-en/train:1", "train")
    ]


def test_a_hub_that_cannot_be_reached_is_an_error_of_ours(data) -> None:
    def load(*_: Any, **__: Any) -> list[dict[str, Any]]:
        raise ConnectionError("no route to the hub\nlong advice")

    with pytest.raises(DataError, match="no route to the hub") as caught:
        list(read_hub(data, None, "train", load))
    assert "long advice" not in str(caught.value) and "abc" in caught.value.expected


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_datasets_library_streams_what_we_ask_for(
    tmp_path: Path, make_data
) -> None:
    rows = {"translation": [{"en": "a", "fr": "b"}] * 5}
    pl.DataFrame(rows).write_parquet(tmp_path / "train-0.parquet")
    data = make_data(
        format="hub",
        files={"train": "train"},
        hub_id=str(tmp_path),
        revision="abc",
        max_rows=3,
    )
    found = list(read_rows(data))
    assert len(found) == 3 and found[0].get("translation.fr") == "b"
