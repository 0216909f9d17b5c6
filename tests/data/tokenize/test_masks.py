"""The rules for loss masks, over flat token columns."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from graft.data.tokenize.masks import (
    find_mask_errors,
    flatten,
    keep_last_answer,
    to_columns,
)
from graft.records import Encoded

END = 2
SEQUENCES = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12).map(
        lambda pairs: Encoded([i for i, _ in pairs], [loss for _, loss in pairs])
    ),
    max_size=8,
)


def broken(encoded: Encoded) -> bool:
    """The rules, token by token."""
    if not any(encoded.loss_mask):
        return True
    following = [*encoded.loss_mask[1:], False]
    return any(
        loss and not after and token != END
        for token, loss, after in zip(
            encoded.input_ids, encoded.loss_mask, following, strict=True
        )
    )


@given(SEQUENCES)
def test_exactly_the_masks_that_break_a_rule_are_found(
    sequences: list[Encoded],
) -> None:
    errors = find_mask_errors(flatten(sequences), [END])
    assert sorted(errors) == [row for row, one in enumerate(sequences) if broken(one)]


def test_a_sequence_without_a_token_with_loss_is_found() -> None:
    good = Encoded([1, 3, END], [False, True, True])
    errors = find_mask_errors(flatten([good, Encoded([1, 3], [False, False])]), [END])
    assert errors == {1: "no token carries loss"}


def test_an_answer_whose_stop_token_has_no_loss_is_found_in_any_turn() -> None:
    first = Encoded([3, END, 1, 3, END], [True, False, False, True, True])
    last = Encoded([3, END, 1, 3, END], [True, True, False, True, False])
    both = find_mask_errors(flatten([first, last]), [END])
    problem = "the end-of-turn token of an answer has no loss"
    assert both == dict.fromkeys((0, 1), problem)


@given(SEQUENCES)
def test_columns_have_one_row_per_sequence(sequences: list[Encoded]) -> None:
    columns = to_columns(flatten(sequences))
    assert columns["input_ids"].to_pylist() == [s.input_ids for s in sequences]
    assert columns["loss_mask"].to_pylist() == [s.loss_mask for s in sequences]


@given(SEQUENCES)
def test_only_the_last_answer_of_each_sequence_keeps_its_loss(
    sequences: list[Encoded],
) -> None:
    kept = keep_last_answer(flatten(sequences))
    for row, one in enumerate(sequences):
        runs = [list(run) for loss, run in groupby(one.loss_mask) if loss]
        mask = kept.loss_mask[kept.offsets[row] : kept.offsets[row + 1]].tolist()
        assert sum(mask) == (len(runs[-1]) if runs else 0)
        last = len(one.loss_mask) - 1 - one.loss_mask[::-1].index(True) if runs else 0
        assert mask[last - sum(mask) + 1 : last + 1] == [True] * sum(mask)


@given(SEQUENCES)
def test_counts_are_those_of_each_sequence(sequences: list[Encoded]) -> None:
    tokens = flatten(sequences)
    assert tokens.lengths.tolist() == [len(s.input_ids) for s in sequences]
    assert tokens.num_trained.tolist() == [sum(s.loss_mask) for s in sequences]
