"""Attempts on one test set share an error rate of 5 %."""

from hypothesis import given
from hypothesis import strategies as st

from graft.registry.attempts import BUDGET, FIRST, next_attempt


def test_the_first_attempt_has_the_lower_bound_of_a_95_percent_interval() -> None:
    first = next_attempt([], 0, 20)
    assert (first.number, first.confidence) == (1, 0.95) and first.is_allowed


@given(st.integers(1, 50))
def test_the_attempts_of_a_test_set_spend_at_most_the_budget(most: int) -> None:
    spent: list[float] = []
    while (attempt := next_attempt(spent, 0, most)).is_allowed:
        spent.append(attempt.error_rate)
    assert len(spent) == most and sum(spent) <= BUDGET * (1 + 1e-9)
    assert spent[0] == FIRST and attempt.number == most + 1


@given(st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_the_budget_holds_if_the_number_of_attempts_is_changed(most: list[int]) -> None:
    spent: list[float] = []
    for one in most:
        attempt = next_attempt(spent, 0, one)
        spent += [attempt.error_rate] * attempt.is_allowed
    assert sum(spent) <= BUDGET * (1 + 1e-9)


@given(st.integers(2, 50), st.integers(1, 49))
def test_the_best_of_several_has_the_error_rate_of_a_later_attempt(
    most: int, others: int
) -> None:
    best = next_attempt([], others, most)
    assert best.number == others + 1
    assert best.error_rate * best.number <= BUDGET * (1 + 1e-9)
