"""The label-mask contract, and cutting, over flat token columns."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from graft.data.tokenize.masks import find_faults, flatten, learn_last, to_columns
from graft.records import Encoded

END = 2
SEQUENCES = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12).map(
        lambda pairs: Encoded([i for i, _ in pairs], [mark for _, mark in pairs])
    ),
    max_size=8,
)


def broken(encoded: Encoded) -> bool:
    """The contract, token by token."""
    if not any(encoded.learned):
        return True
    following = [*encoded.learned[1:], False]
    return any(
        mark and not after and token != END
        for token, mark, after in zip(
            encoded.input_ids, encoded.learned, following, strict=True
        )
    )


@given(SEQUENCES)
def test_a_sequence_is_at_fault_exactly_if_it_breaks_the_contract(
    sequences: list[Encoded],
) -> None:
    faults = find_faults(flatten(sequences), [END])
    assert sorted(faults) == [row for row, one in enumerate(sequences) if broken(one)]


def test_a_sequence_without_a_learned_token_is_named() -> None:
    good = Encoded([1, 3, END], [False, True, True])
    faults = find_faults(flatten([good, Encoded([1, 3], [False, False])]), [END])
    assert faults == {1: "no token is learned"}


def test_an_answer_whose_end_is_not_learned_is_named_in_any_turn() -> None:
    first = Encoded([3, END, 1, 3, END], [True, False, False, True, True])
    last = Encoded([3, END, 1, 3, END], [True, True, False, True, False])
    both = find_faults(flatten([first, last]), [END])
    assert both == dict.fromkeys((0, 1), "the end of an answer is not learned")


@given(SEQUENCES)
def test_joined_sequences_are_columns_of_a_row_each(sequences: list[Encoded]) -> None:
    columns = to_columns(flatten(sequences))
    assert columns["input_ids"].to_pylist() == [s.input_ids for s in sequences]
    assert columns["learned"].to_pylist() == [s.learned for s in sequences]


@given(SEQUENCES)
def test_of_each_sequence_the_last_run_of_learned_tokens_stays(
    sequences: list[Encoded],
) -> None:
    kept = learn_last(flatten(sequences))
    for row, one in enumerate(sequences):
        runs = [list(run) for mark, run in groupby(one.learned) if mark]
        marks = kept.learned[kept.offsets[row] : kept.offsets[row + 1]].tolist()
        assert sum(marks) == (len(runs[-1]) if runs else 0)
        last = len(one.learned) - 1 - one.learned[::-1].index(True) if runs else 0
        assert marks[last - sum(marks) + 1 : last + 1] == [True] * sum(marks)


@given(SEQUENCES)
def test_counts_are_those_of_each_sequence(sequences: list[Encoded]) -> None:
    tokens = flatten(sequences)
    assert tokens.lengths.tolist() == [len(s.input_ids) for s in sequences]
    assert tokens.num_learned.tolist() == [sum(s.learned) for s in sequences]
