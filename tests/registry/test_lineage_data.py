"""Which versions were trained on data, and which learned from a row."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lineages import CONVERTED, LOCK, REJECTS, SOURCE, SPLITS, make_known

from graft import io
from graft.errors import StorageError
from graft.records import EXAMPLE_SCHEMA, REJECT_SCHEMA
from graft.registry.lineage import to_outputs
from graft.registry.lineage_data import RowSearch, find_data, training_inputs

MESSAGES = [
    {"role": "user", "content": "a", "learn": None},
    {"role": "assistant", "content": "b", "learn": None},
]


class Folders:
    """Data by their md5 in folders of a test; those that are not there are missing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.reads: Counter[str] = Counter()

    def link(self, md5: str, out: Path) -> Path:
        """A link to the folder of an md5."""
        self.reads[md5] += 1
        if not (self.root / md5).is_dir():
            raise StorageError(
                f"md5 {md5}", "is neither in the cache nor on the remote"
            )
        out.symlink_to(self.root / md5)
        return out

    def add_splits(self, **ids: list[str]) -> None:
        """Examples of each split; another place for each."""
        for split in ("train", "validation", "test"):
            rows = [
                {
                    "id": name,
                    "where": f"pairs.jsonl:{name}",
                    "messages": MESSAGES if name == "kept" else [],
                    "references": [],
                    "group": "",
                    "stratum": "all",
                    "split": None,
                }
                for name in ids.get(split, ())
            ]
            table = pa.Table.from_pylist(rows, EXAMPLE_SCHEMA)
            io.write_batches(self.root / SPLITS / split, [table], EXAMPLE_SCHEMA)

    def add_rejects(self, *rejects: dict[str, str]) -> None:
        """Rejects of the stage convert."""
        empty = dict.fromkeys(REJECT_SCHEMA.names, "")
        rows = [empty | {"stage": "convert"} | reject for reject in rejects]
        table = pa.Table.from_pylist(rows, REJECT_SCHEMA)
        io.write_batches(self.root / REJECTS, [table], REJECT_SCHEMA)


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> Folders:
    data = Folders(tmp_path)
    data.add_splits(train=["a1", "a2~1", "kept"], validation=["v1"], test=["t1"])
    data.add_rejects(
        {"id": "r1", "where": "pairs.jsonl:9", "reason": "broken", "value": "x"},
        {"id": "a1", "where": "pairs.jsonl:8", "reason": "duplicate"},
        {
            "id": "r2",
            "where": "pairs.jsonl:7",
            "reason": "duplicate",
            "row": json.dumps({"messages": MESSAGES}),
        },
        {
            "id": "r3",
            "where": "pairs.jsonl:6",
            "reason": "duplicate",
            "row": json.dumps({"messages": MESSAGES[:1]}),
        },
    )
    return data


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ("a1", "train"),
        ("pairs.jsonl:a1", "train"),
        ("v1", "validation"),
        ("t1", "test"),
        ("r1", "rejected"),
        ("pairs.jsonl:9", "rejected"),
        ("a", "absent"),
        ("pairs.jsonl", "absent"),
        (".*", "absent"),
    ],
)
def test_a_row_is_in_a_split_rejected_or_absent(
    data: Folders, row: str, state: str
) -> None:
    found = RowSearch(row, data).find(make_known())
    assert (found.version, found.state) == ("3", state)


def test_a_paraphrase_is_found_by_the_id_of_its_original(data: Folders) -> None:
    found = RowSearch("a2", data).find(make_known())
    assert found.state == "train" and "id a2~1" in found.detail


def test_a_duplicate_was_learned_as_the_row_that_was_kept(data: Folders) -> None:
    found = RowSearch("pairs.jsonl:8", data).find(make_known())
    assert found.state == "train" and "as pairs.jsonl:a1" in found.detail
    # Its text differed before it was cleaned, so it has another id.
    found = RowSearch("r2", data).find(make_known())
    assert found.state == "train" and "as pairs.jsonl:kept" in found.detail
    assert RowSearch("r3", data).find(make_known()).state == "rejected"


def test_missing_data_are_unknown_and_never_a_no(tmp_path: Path) -> None:
    data = Folders(tmp_path)
    data.add_splits(train=["a1"])
    assert RowSearch("a1", data).find(make_known()).state == "train"
    found = RowSearch("a2", data).find(make_known())
    assert found.state == "unknown" and f"md5 {REJECTS}" in found.detail
    found = RowSearch("a1", Folders(tmp_path / "none")).find(make_known())
    assert found.state == "unknown" and f"md5 {SPLITS}" in found.detail
    found = RowSearch("a1", data).find(make_known(outputs=(), lock={}))
    assert found.state == "unknown" and "dvc.lock" in found.detail


def test_a_broken_table_is_unknown(data: Folders) -> None:
    (data.root / SPLITS / "test" / "part-00000.parquet").write_bytes(b"PAR1")
    assert RowSearch("a1", data).find(make_known()).state == "train"
    assert RowSearch("nobody", data).find(make_known()).state == "unknown"


def test_data_that_versions_share_are_read_once(data: Folders) -> None:
    search = RowSearch("nobody", data)
    for number in range(1, 5):
        assert search.find(make_known(number)).state == "absent"
    assert set(data.reads.values()) == {1}


@pytest.mark.parametrize(
    ("md5", "state"),
    [
        (SOURCE, "used"),
        (SPLITS.removesuffix(".dir"), "used"),
        (REJECTS, "stored"),
        ("b" * 32, "absent"),
    ],
)
def test_data_are_used_in_training_stored_or_absent(md5: str, state: str) -> None:
    assert find_data(make_known(), [md5]).state == state
    assert find_data(make_known(outputs=(), lock={}), [md5]).state == "unknown"


def test_training_reads_what_its_inputs_were_made_from() -> None:
    assert training_inputs(make_known().lineage) == {
        "data/splits",
        "data/converted",
        "data/sample",
        "data/code/train",
    }


def test_another_source_is_not_that_of_the_version() -> None:
    lock: dict[str, Any] = {"stages": LOCK["stages"] | {"convert": {}}}
    outputs = tuple(to_outputs(lock, "", frozenset()))
    assert find_data(make_known(lock=lock, outputs=outputs), [SOURCE]).state == "absent"
    assert find_data(make_known(), [CONVERTED]).state == "used"
