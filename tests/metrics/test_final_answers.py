import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.metrics.final_answers import extract_result, has_format, is_correct

THOUGHT = "<think>\n2, 3, 5\n</think>\n\n"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("so 7, then\n#### 1,234", "1,234"),
        ("#### 5 apples", "5 apples"),
        (r"thus \boxed{\frac{1}{2}} of 8", r"\frac{1}{2}"),
        (r"\boxed{3} no, \boxed{4}", "4"),
        (r"\boxed{7", "7"),
        ("It costs $12.50 in all.", "12.50"),
        ("<think>maybe 9</think>It is 8.", "8"),
        ("between 3 and −4", "3 and -4"),
        ("blue", "blue"),
        ("12 km", "12 km"),
        ("2^10", "2^10"),
        ("2 + 3 = 5", "5"),
        ("It takes 3 to 5 days.", "3 to 5"),
        ("On 2024-01-05 at 10:30", "10:30"),
        ("the ratio is 3/4.", "3/4"),
        ("cela fait 1 234,5 euros", "1 234,5"),
        ("It costs 5 million dollars.", "5 million"),
        ("it is 5 × 10³ m", "5 * 10^3"),
        (r"we get $\frac{1}{2}$", "1/2"),
        ("1½ cups are left", "1 1/2"),
        ("It is not 42.", "not 42"),
        ("so it is √2", "√2"),
        ("She earns $18 a day, or so.", "18"),
        ("the answer is 5, not 42", "5"),
        ("The answer is not 42.", "not 42"),
        ("The answer is 3 or 5 days.", "3 or 5"),
        ("The answer is $18 per day. In step 42 it was 7.", "18"),
        ("**Answer:** (B).", "(B)"),
        ("The answer is 9 * 2 = 18 dollars", "18"),
        ("La réponse est 1 234,5 euros.", "1 234,5 euros"),
        ("答案是42。", "42"),
        ("3*4=<<3*4=12>>12 eggs", "12"),
        ("####", ""),
        ("", ""),
    ],
)
def test_a_result_is_boxed_or_hashed_or_the_answer_or_the_last_number(text, result):
    assert extract_result(text) == result


@pytest.mark.parametrize(
    ("completion", "gold"),
    [
        ("#### 72.0", "#### 72"),
        (r"\boxed{1,000}", "1000"),
        (r"\boxed{0.5}", r"\boxed{\dfrac{1}{2}}"),
        (r"\boxed{\text{Blue}}", "blue"),
        ("-3", "−3"),
        (r"\boxed{50\%}", "#### 50"),
        ("it is 12,000.", "12000"),
    ],
)
def test_equal_numbers_and_texts_are_correct(completion, gold, value):
    assert value("final_answer", completion, gold) == 100


def test_wrong_missing_and_endless_results_are_not_correct(value):
    assert value("final_answer", "#### 71", "#### 72") == 0
    assert value("final_answer", "", "#### 72") == 0
    assert value("final_answer", "3" * 5000, "3") == 0
    assert value("final_answer", "1e999999999", "3") == 0
    assert value("final_answer", "1/0", "3") == 0


def test_a_bare_answer_beside_the_reasoned_one_counts_too(value):
    assert value("final_answer", "#### 6", "it is six", "6") == 100


@pytest.mark.parametrize(
    ("completion", "gold", "formed"),
    [
        (THOUGHT + "#### 5", THOUGHT + "#### 6", True),
        (THOUGHT + "5", THOUGHT + "#### 6", False),
        ("#### 5", THOUGHT + "#### 6", False),
        ("<think>2, 3, 5", THOUGHT + "#### 6", False),
        ("<think></think>#### 5", THOUGHT + "#### 6", False),
        (THOUGHT, THOUGHT + "#### 6", False),
        ("well " + THOUGHT + "#### 5", THOUGHT + "#### 6", False),
        (THOUGHT + THOUGHT + "#### 5", THOUGHT + "#### 6", False),
        (THOUGHT + "#### 5", "#### 6", False),
        (r"so \boxed{5}", r"\boxed{6}", True),
        (r"so \boxed{5}", "#### 6", False),
        ("five", "it is 6", True),
        (" ", "it is 6", False),
    ],
)
def test_the_format_is_that_of_the_reference(completion, gold, formed):
    assert has_format(completion, gold) is formed


@given(st.integers(-(10**12), 10**12))
def test_a_number_is_the_same_however_it_is_written(number):
    written = [str(number), f"{number:,}", f"{number}.00", f"${number}"]
    for text in written:
        assert is_correct(f"so it is\n#### {text}", f"#### {number}")
        assert not is_correct(f"#### {text}", f"#### {number + 1}")


@given(st.text(alphabet="<think>/\\boxed{}#1234,.-− ab\n"))
def test_every_text_equals_its_own_result(text):
    if extract_result(text).strip():
        assert is_correct(text, text + "\n") and is_correct(text + "\n", text)
    assert not has_format("", text)
