import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.data.packing import fill, pack

LENGTHS = st.lists(st.integers(1, 64), max_size=200)


@given(LENGTHS)
def test_every_document_stands_in_exactly_one_sequence(lengths: list[int]) -> None:
    packs = pack(lengths, 64)
    assert sorted(i for one in packs for i in one) == list(range(len(lengths)))


@given(LENGTHS)
def test_no_sequence_is_longer_than_its_capacity(lengths: list[int]) -> None:
    for one in pack(lengths, 64):
        assert 0 < sum(lengths[i] for i in one) <= 64


@given(LENGTHS)
def test_no_two_sequences_would_fit_in_one(lengths: list[int]) -> None:
    used = sorted(sum(lengths[i] for i in one) for one in pack(lengths, 64))
    assert len(used) < 2 or used[0] + used[1] > 64


def test_the_same_lengths_make_the_same_sequences() -> None:
    assert pack([5, 3, 5, 2], 8) == pack([5, 3, 5, 2], 8) == [[0, 3], [2, 1]]


def test_short_documents_fill_sequences_nearly_whole() -> None:
    lengths = [10 + i % 50 for i in range(5000)]
    assert fill(pack(lengths, 512), lengths, 512) > 0.99


@pytest.mark.parametrize("length", [0, 65])
def test_a_document_that_cannot_be_placed_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="longer than 64"):
        pack([length], 64)
