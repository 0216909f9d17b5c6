import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from graft.monitoring.features import (
    FEATURE_COLUMNS,
    FEATURE_SCHEMA,
    MAX_NGRAMS,
    Features,
    to_features,
)

ENGLISH = "The little boat was driven by the wind towards the harbour."
FRENCH = "Le petit bateau était poussé par le vent vers le port."


@given(st.text(max_size=200), st.lists(st.integers(0, 2**31 - 1), max_size=100))
def test_any_prompt_has_features_that_fit_the_schema(prompt: str, ids: list[int]):
    row = to_features(prompt, ids).to_row()
    assert tuple(row) == FEATURE_COLUMNS
    assert pa.Table.from_pylist([row], FEATURE_SCHEMA).num_rows == 1


def test_features_survive_their_row():
    features = to_features(ENGLISH, [1, 2, 3])
    assert Features.from_row(features.to_row()) == features


def test_language_and_script_are_found():
    assert to_features(ENGLISH, []).language == "en"
    assert to_features(FRENCH, []).language == "fr"
    assert to_features("Привет, мир", []).script == "cyrillic"
    assert to_features(FRENCH, []).script == "latin"


def test_personal_data_and_its_placeholders_are_counted():
    count = to_features("Write to jane@example.org, not to [EMAIL].", []).personal_data
    assert count == 2
    assert to_features(ENGLISH, []).personal_data == 0


def test_code_has_more_symbols_and_lines_than_prose():
    code = to_features("def f(x):\n    return {x: [x]}\n", [])
    assert code.symbols > to_features(ENGLISH, []).symbols
    assert code.lines == 3


def test_another_template_changes_the_ends_of_the_ids():
    one, other = to_features("", [1, 2, 9, 3, 4]), to_features("", [5, 6, 9, 7, 8])
    assert one.opening != other.opening
    assert one.closing != other.closing
    assert one.opening == to_features("", [1, 2, 7, 7]).opening


def test_a_long_prompt_has_a_bounded_number_of_ngrams():
    features = to_features("word " * 10_000, range(10_000))
    assert len(features.ngrams) <= MAX_NGRAMS
    assert len(features.bigrams) <= MAX_NGRAMS
    assert features.tokens == 10_000
    assert max(features.ngrams) < 2**8
    assert max(features.bigrams) < 2**10
