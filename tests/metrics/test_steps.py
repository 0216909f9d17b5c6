import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.metrics.steps import completeness, step_accuracy, to_steps

GOLD = "1. Boil the water.\n2. Warm the pot.\n3. Pour the water.\n4. Wait."
STEPS = st.lists(st.sampled_from(["boil", "warm", "pour", "wait"]), max_size=6)


def test_numbers_and_bullets_are_not_part_of_a_step():
    text = "Step 1: Boil it.\n\n2) Warm it!\n- Pour it\n  • Wait\n3. ..."
    assert to_steps(text) == ["boil it", "warm it", "pour it", "wait"]
    assert to_steps("2 cups of rice") == ["2 cups of rice"]


@pytest.mark.parametrize(
    ("completion", "accuracy", "completeness"),
    [
        (GOLD, 100, 100),
        ("Boil water\nWarm the pot\nPour water\nWait", 100, 100),
        ("Warm the pot.\nBoil the water.\nPour the water.\nWait.", 50, 75),
        ("Boil the water.\nSing.\nWarm the pot.\nPour the water.\nWait.", 20, 100),
        ("Boil the water.", 25, 25),
        ("", 0, 0),
    ],
)
def test_values_computed_by_hand(completion, accuracy, completeness, value):
    assert value("step_accuracy", completion, GOLD) == pytest.approx(accuracy)
    assert value("completeness", completion, GOLD) == pytest.approx(completeness)


def test_the_best_matching_reference_counts(value):
    assert value("completeness", "Wait.", GOLD, "Wait.") == 100


@given(STEPS, STEPS)
def test_shares_are_bounded_and_order_never_counts_less_than_place(steps, gold):
    place, order = step_accuracy(steps, gold), completeness(steps, gold)
    assert 0 <= place <= order <= 1
    assert step_accuracy(gold, gold) == completeness(gold, gold) == 1


@given(STEPS, STEPS)
def test_more_steps_never_make_an_answer_less_complete(steps, gold):
    assert completeness([*steps, "sing"], gold) >= completeness(steps, gold)
