"""Packing uses every document once and wastes little space."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.training.packing import pack, packing_efficiency

LENGTHS = st.lists(st.integers(1, 64), max_size=200)


@given(LENGTHS)
def test_every_document_is_in_exactly_one_sequence(lengths: list[int]) -> None:
    packs = pack(lengths, 64)
    assert sorted(i for one in packs for i in one) == list(range(len(lengths)))


@given(LENGTHS)
def test_no_sequence_is_longer_than_its_capacity(lengths: list[int]) -> None:
    for one in pack(lengths, 64):
        assert 0 < sum(lengths[i] for i in one) <= 64


def best_fit_decreasing(lengths: Sequence[int], capacity: int) -> int:
    """The number of sequences of best-fit decreasing."""
    rooms: list[int] = []
    for length in sorted(lengths, reverse=True):
        fitting = [room for room in rooms if room >= length]
        room = min(fitting, default=capacity)
        if fitting:
            rooms.remove(room)
        rooms.append(room - length)
    return len(rooms)


def test_packing_needs_no_more_sequences_than_best_fit_decreasing() -> None:
    rng = np.random.default_rng(0)
    plain = packed = 0
    for _ in range(200):
        lengths = rng.integers(1, 65, rng.integers(1, 60)).tolist()
        plain += best_fit_decreasing(lengths, 64)
        packed += len(pack(lengths, 64))
    assert packed <= plain


@given(LENGTHS)
def test_an_array_and_a_list_are_packed_alike(lengths: list[int]) -> None:
    assert pack(np.array(lengths, np.int64), 64) == pack(lengths, 64)


@pytest.mark.parametrize(
    ("median", "spread", "longest", "share"),
    [(75, 0.5, 512, 0.998), (900, 0.6, 2048, 0.995)],
)
def test_real_lengths_fill_nearly_every_token(
    median: int, spread: float, longest: int, share: float
) -> None:
    drawn = np.random.default_rng(0).lognormal(np.log(median), spread, 20_000)
    lengths = np.clip(drawn.astype(int), 16, longest).tolist()
    assert packing_efficiency(pack(lengths, 2048), lengths, 2048) >= share


@given(LENGTHS)
def test_no_two_sequences_would_fit_in_one(lengths: list[int]) -> None:
    used = sorted(sum(lengths[i] for i in one) for one in pack(lengths, 64))
    assert len(used) < 2 or used[0] + used[1] > 64


def test_the_same_lengths_make_the_same_sequences() -> None:
    assert pack([5, 3, 5, 2], 8) == pack([5, 3, 5, 2], 8) == [[0, 1], [2, 3]]


def test_short_documents_fill_sequences_almost_completely() -> None:
    lengths = [10 + i % 50 for i in range(5000)]
    assert packing_efficiency(pack(lengths, 512), lengths, 512) > 0.99


@pytest.mark.parametrize("length", [0, 65])
def test_a_document_that_cannot_be_placed_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="longer than 64"):
        pack([length], 64)
