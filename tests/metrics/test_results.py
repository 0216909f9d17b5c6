from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.metrics.final_answers import is_correct
from graft.metrics.results import to_number, to_result

MARKS = ("#### {}", r"so \boxed{{{}}}", "{}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,234.5", "1 234,5"),
        ("1.234,5", "1,234.5"),
        ("1'234", "1234"),
        ("1\u202f234", "1234"),
        ("12,34,567", "1234567"),
        ("1{,}000", "1000"),
        ("3/4", "0.75"),
        (r"\frac{1}{2}", "0.5"),
        (r"-\dfrac12", "-1/2"),
        (r"1\frac{1}{2}", "1½"),
        ("1 1/2", "1.5"),
        ("１２", "12"),
        ("١٢", "12"),
        ("٣٫٥", "3.5"),
        ("−3", "-3"),
        ("- 3", "-3"),
        ("3.0", "3"),
        ("1e3", "1000"),
        ("2×10^3", "2,000"),
        (r"2 \times 10^{-3}", "0.002"),
        ("10^3", "1000"),
        ("$12.50", "12.5"),
        ("-$5", "-5"),
        ("$7$", "7"),
        (r"\$7", "7"),
        (r"50\%", "50%"),
        ("50%", "50"),
        ("5 €", "5"),
        ("12 apples", "12"),
        ("5km", "5 km"),
        ("7 m²", "7"),
        ("12個", "12"),
        ("x = 3", "3"),
        ("12。", "12."),
        ("**12**", "12"),
        (r"\text{Blue}", "blue"),
        ("3 to 5", "3  to 5"),
        ("(1, 2)", "(1,2)"),
        ("2024-01-05", "2024-01-05"),
        ("十二", "十二"),
        ("१,२३४", "1234"),
        ("٥٠٪", "50 percent"),
        ("1.5 × 10³", "1500"),
        ("2.5E−3", "0.0025"),
        ("5 million dollars", "5,000,000"),
        ("3 lakh", "300000"),
        ("5万", "50000"),
        ("US$12", "12"),
        ("42 m²", "42 m^2"),
        (r"42~\mathrm{cm}", "42 cm"),
        (r"90^{\circ}", "90°"),
        (r"\frac{1,000}{2}", "500"),
        (r"\sqrt 2", r"\sqrt{2}"),
        (r"2\pi", "2π"),
        (r"\text{(A)}", "A"),
        (r"\{2, 1\}", r"\{1.0,2\}"),
        (r"\left(\frac12, 2\right)", "(0.5, 2)"),
        (r"[0,\infty)", "[0, ∞)"),
        ("3–5", "3-5"),
    ],
)
@pytest.mark.parametrize("mark", MARKS[:2])
def test_an_equal_result_is_correct_in_any_notation(one, other, mark):
    assert is_correct(mark.format(one), f"#### {other}")
    assert is_correct(f"#### {other}", mark.format(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3 to 5", "3"),
        ("3 to 5", "5"),
        ("3-5", "3"),
        ("3–5", "5"),
        ("3 à 5", "5"),
        ("1, 2", "1"),
        ("1, 2", "2"),
        ("1, 2", "2, 1"),
        ("1 2", "12"),
        ("12 or 15", "12"),
        ("5 apples and 3 pears", "5"),
        ("2 hours 30 minutes", "2"),
        ("2024-01-05", "2024"),
        ("2024-01-05", "5"),
        ("10:30", "10"),
        ("3/4", "3"),
        ("12,5", "12"),
        ("1e3", "1"),
        ("12 km", "12 m"),
        ("$5", "5 euro"),
        ("12 thousand", "12"),
        ("12k", "12"),
        ("3 dozen", "3"),
        ("12 more", "12"),
        ("x = 3", "y = 3"),
        ("x=3, y=4", "3"),
        ("50%", "0.5"),
        ("5±1", "5"),
        ("5+2i", "5"),
        ("√2", "2"),
        ("2^10", "10"),
        ("> 5", "5"),
        ("1.5.2", "1.5"),
        ("-3", "3"),
        ("1/0", "3"),
        ("blue", "red"),
        ("5 lakh", "5"),
        ("5 тысяч", "5"),
        ("5만", "5"),
        ("5 mio", "5"),
        ("5 squared", "5"),
        ("2x", "2"),
        ("2π", "2"),
        ("3i", "3"),
        ("5 Mb", "5 mb"),
        ("5 °C", "5 °F"),
        ("10³", "103"),
        ("1½", "11/2"),
        (r"\frac{1}{2}", "12"),
        (r"2\sqrt{3}", "23"),
        ("0 123", "123"),
        ("3~500", "3500"),
        ("1、234", "1234"),
        ("(1, 2)", "(2, 1)"),
        ("(1, 2)", "[1, 2]"),
        ("[1, 2)", "[1, 2]"),
        (r"\{1, 2\}", r"\{1, 3\}"),
        (r"\{1, 2\}", "2"),
        (r"\infty", r"-\infty"),
        ("~5", "5"),
        (r"\geq 5", "5"),
    ],
)
@pytest.mark.parametrize("mark", MARKS)
def test_another_or_a_partial_result_is_not_correct(one, other, mark):
    assert not is_correct(mark.format(one), f"#### {other}")
    assert not is_correct(f"#### {other}", mark.format(one))


def test_a_bare_reference_is_a_complete_result():
    assert is_correct("It takes 3 to 5 days.", "3 to 5")
    assert not is_correct("It takes 5 days.", "3 to 5")
    assert is_correct("So it is 12.", "12 apples")


@given(
    st.fractions(max_denominator=999), st.sampled_from(["{}/{}", r"\frac{{{}}}{{{}}}"])
)
def test_a_fraction_is_read_exactly(value, form):
    written = form.format(value.numerator, value.denominator)
    assert to_result(written).value == value


@given(st.integers(1000, 10**15), st.integers(0, 99))
def test_grouped_digits_are_one_number_in_english_french_and_german(units, cents):
    english = f"{units:,}.{cents:02}"
    value = Fraction(f"{units}.{cents:02}")
    swapped = english.translate(str.maketrans(",.", ".,"))
    spaced = english.replace(",", " ").replace(".", ",")
    assert {to_number(text) for text in (english, swapped, spaced)} == {value}


DIGITS = (
    "0123456789",
    "٠١٢٣٤٥٦٧٨٩",
    "०१२३४५६७८९",
    "๐๑๒๓๔๕๖๗๘๙",
    "０１２３４５６７８９",
)
NOTATIONS = (
    "{0}",
    "{0:,}",
    "{0}.0",
    "{0}/1",
    "{0}e0",
    r"\frac{{{1}}}{{2}}",
    r"{0} \times 10^{{0}}",
    "{0:,} km",
)
ANSWERS = ("#### {}", r"so \boxed{{{}}}.", "Thus, the answer is {}.", "It is {}.")


@given(
    st.integers(0, 10**9),
    st.sampled_from([0, 0, 1, -1, 10, 1000]),
    st.lists(st.sampled_from(NOTATIONS), min_size=2, max_size=2),
    st.lists(st.sampled_from(ANSWERS), min_size=2, max_size=2),
    st.sampled_from(DIGITS),
)
def test_answers_are_equal_exactly_if_their_numbers_are(
    number, apart, notations, answers, digits
):
    one, other = (
        answer.format(notation.format(value, 2 * value))
        for value, notation, answer in zip(
            (number, abs(number + apart)), notations, answers, strict=True
        )
    )
    one = one.translate(str.maketrans("0123456789", digits))
    assert is_correct(one, other) is (number == abs(number + apart))


PARTS = st.lists(st.integers(-20, 20), min_size=2, max_size=4)


@given(PARTS, PARTS, st.sampled_from(["(", "[", r"\{"]), st.randoms())
def test_tuples_have_an_order_and_sets_have_none(one, other, bracket, random):
    end = {"(": ")", "[": "]"}.get(bracket, r"\}")
    first, second = (
        f"#### {bracket}{', '.join(map(str, parts))}{end}" for parts in (one, other)
    )
    is_set = bracket == r"\{"
    equal = set(one) == set(other) if is_set else one == other
    assert is_correct(first, second) is equal
    mixed = random.sample(one, len(one))
    turned = f"#### {bracket}{','.join(f'{part}.0' for part in mixed)}{end}"
    assert is_correct(turned, first) is (is_set or mixed == one)


@given(st.text(alphabet="0123456789,. '-+/%$eE^*{}x=abkm到½٣\\", max_size=30))
def test_any_text_is_a_result_that_equals_itself(text):
    assert to_result(text).equals(to_result(text))
