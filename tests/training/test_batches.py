from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_training import make_documents

from graft.config import TrainConfig
from graft.errors import DataError
from graft.io import write_batches
from graft.records import SEQUENCE_SCHEMA
from graft.training.batches import read_documents


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 4), st.booleans())
def test_the_steps_of_an_epoch_contain_every_document_once(
    count: int, micro: int, times: int, packing: bool
) -> None:
    documents = make_documents(count, packing=packing)
    batch = micro * times
    num_steps = documents.steps_per_epoch(batch)
    for epoch in (0, 1):
        first = epoch * num_steps
        steps = [
            documents.step(n, batch, micro, 7) for n in range(first, first + num_steps)
        ]
        seen = [
            document
            for step in steps
            for packs in step
            for number in packs
            for document in documents.packs[number]
        ]
        assert sorted(seen) == list(range(count))
        sizes = [sum(map(len, step)) for step in steps]
        assert sizes[:-1] == [batch] * (num_steps - 1)
        assert sizes[-1] == len(documents.packs) - batch * (num_steps - 1)
        assert all(len(packs) <= micro for step in steps for packs in step)


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    one, other = make_documents(80), make_documents(80)
    assert np.array_equal(one.order(3, seed=1), other.order(3, seed=1))
    assert not np.array_equal(one.order(3, seed=1), one.order(4, seed=1))
    assert not np.array_equal(one.order(3, seed=1), one.order(3, seed=2))


def test_a_late_step_is_computed_without_those_before_it() -> None:
    documents = make_documents(80)
    by_fours = np.concatenate(documents.step(3, 4, 4, seed=1))
    by_ones = np.concatenate(documents.step(3, 4, 1, seed=1))
    assert np.array_equal(by_fours, by_ones)
    assert np.array_equal(by_fours, documents.order(0, seed=1)[12:16])


@given(st.integers(1, 40), st.booleans())
def test_targets_are_the_trained_tokens_after_the_positions_that_predict_them(
    count: int, packing: bool
) -> None:
    documents = make_documents(count, packing=packing)
    num_trained = 0
    for packs in documents.in_batches(3):
        batch = documents.batch(packs, "cpu")
        row, positions = batch.input_ids[0], batch.position_ids[0]
        loss_mask = np.concatenate(
            [
                documents.loss_mask[slice(*documents.starts[[i, i + 1]])]
                for i in map(documents.ids.index, batch.ids)
            ]
        )
        assert row[batch.predicts + 1].tolist() == batch.targets.tolist()
        assert (positions[batch.predicts + 1] == positions[batch.predicts] + 1).all()
        assert np.array_equal(batch.predicts + 1, np.flatnonzero(loss_mask))
        num_trained += len(batch.targets)
    assert num_trained == documents.num_trained


def test_the_first_token_of_a_document_is_never_a_target() -> None:
    documents = make_documents(30)
    documents.loss_mask[:] = True
    targets = 0
    for packs in documents.in_batches(4):
        batch = documents.batch(packs, "cpu")
        assert (batch.position_ids[0][batch.predicts + 1] > 0).all()
        targets += len(batch.targets)
    assert targets == documents.num_trained == len(documents.tokens) - 30


def test_without_packing_each_document_is_a_sequence() -> None:
    documents = make_documents(10, packing=False)
    assert documents.packs == [[number] for number in range(10)]


def write_split(folder: Path, lengths: list[int]) -> Path:
    rows = [
        {
            "id": f"id{number}",
            "messages": [{"role": "user", "content": "a"}],
            "references": [],
            "group": "g",
            "stratum": "rare" if number == 0 else "common",
            "split": None,
            "where": f"f:{number}",
            "input_ids": list(range(number, number + length)),
            "loss_mask": [position > 0 for position in range(length)],
            "num_bytes": 1,
            "augmented": False,
        }
        for number, length in enumerate(lengths)
    ]
    table = pa.Table.from_pylist(rows, SEQUENCE_SCHEMA)
    write_batches(folder, [table.slice(0, 2), table.slice(2)], SEQUENCE_SCHEMA)
    return folder


def test_documents_on_disk_are_read_unchanged(
    tmp_path: Path, train_config: TrainConfig
) -> None:
    split = write_split(tmp_path / "s", [3, 1, 5])
    documents = read_documents(split, "train", 8, train_config)
    assert documents.tokens.tolist() == [0, 1, 2, 1, 2, 3, 4, 5, 6]
    assert documents.starts.tolist() == [0, 3, 4, 9]
    assert documents.ids == ["id0", "id1", "id2"]
    assert documents.num_trained == 2 + 0 + 4


@pytest.mark.parametrize("part", ["train", "validation"])
def test_an_empty_split_is_refused_by_name(
    tmp_path: Path, part: str, train_config: TrainConfig
) -> None:
    with pytest.raises(DataError, match=f"the {part} split has no example"):
        read_documents(write_split(tmp_path / "s", []), part, 8, train_config)


def test_a_sequence_over_the_limit_is_refused_with_its_id(
    tmp_path: Path, train_config: TrainConfig
) -> None:
    with pytest.raises(DataError, match="example id2: has 9 tokens"):
        read_documents(write_split(tmp_path / "s", [3, 8, 9]), "train", 8, train_config)


def test_only_in_train_are_rare_strata_repeated_and_weighted(
    tmp_path: Path, train_config: TrainConfig
) -> None:
    split = write_split(tmp_path / "s", [3, 3, 3, 3])
    config = train_config.model_copy(update={"oversample": 1.0})
    documents = read_documents(split, "train", 8, config)
    seen = sorted(document for pack in documents.packs for document in pack)
    assert seen == [0, 0, 0, 1, 2, 3]
    assert documents.batch([0], "cpu").weights is None
    config = train_config.model_copy(update={"class_weights": 1.0})
    documents = read_documents(split, "train", 8, config)
    assert documents.weights is not None
    assert documents.weights.tolist() == pytest.approx([2, 2 / 3, 2 / 3, 2 / 3])
    batch = documents.batch(range(len(documents.packs)), "cpu")
    assert batch.weights is not None and len(batch.weights) == len(batch.targets) == 8
    assert batch.total == pytest.approx(8) == float(batch.weights.sum())
    held_out = read_documents(split, "validation", 8, config)
    assert held_out.weights is None and len(held_out.packs) == 2
