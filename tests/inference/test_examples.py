from pathlib import Path

import pyarrow as pa
import pytest

from graft.errors import DataError
from graft.inference.examples import read_examples
from graft.io import write_batches
from graft.records import SEQUENCE_SCHEMA


def table(number: int) -> pa.Table:
    rows = [
        {
            "id": f"{i:03}",
            "messages": [
                {"role": "user", "content": f"cat {i}"},
                {"role": "assistant", "content": f"chat {i}"},
            ],
            "references": [f"minou {i}"],
            "group": f"{i}",
            "stratum": "all",
            "split": "test",
            "where": f"file:{i}",
            "input_ids": [i, 2, 3],
            "loss_mask": [False, True, True],
            "num_bytes": 6,
            "augmented": False,
        }
        for i in range(number)
    ]
    return pa.Table.from_pylist(rows, schema=SEQUENCE_SCHEMA)


def test_examples_come_with_their_tokens_in_the_order_of_the_split(tmp_path: Path):
    write_batches(tmp_path / "test", [table(3)], SEQUENCE_SCHEMA)
    examples = read_examples(tmp_path / "test", None)
    assert [example.input_ids[0] for example in examples] == [0, 1, 2]
    assert examples[1].messages[1]["content"] == "chat 1"
    assert (examples[2].loss_mask, examples[2].num_bytes) == ([False, True, True], 6)


@pytest.mark.parametrize(("limit", "ids"), [(3, "000 003 006"), (1, "000")])
def test_a_limit_spreads_examples_over_the_split(tmp_path, limit, ids):
    write_batches(tmp_path / "test", [table(10)], SEQUENCE_SCHEMA)
    assert [e.id for e in read_examples(tmp_path / "test", limit)] == ids.split()
    assert len(read_examples(tmp_path / "test", 99)) == 10


def test_an_empty_test_split_is_an_error_with_the_setting(tmp_path: Path):
    write_batches(tmp_path / "test", [], SEQUENCE_SCHEMA)
    with pytest.raises(DataError, match="empty(.|\n)*split.test"):
        read_examples(tmp_path / "test", None)
