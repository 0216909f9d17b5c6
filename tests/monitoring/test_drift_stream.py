import numpy as np
import pyarrow as pa
from drift_rows import FRENCH, make_reference, texts, to_rows
from hypothesis import given
from hypothesis import strategies as st

from graft.monitoring.drift.stream import StreamDetector, to_bets

PROFILE = make_reference()


def test_bets_on_uniform_p_values_win_nothing_on_average() -> None:
    grid = (np.arange(1_000_000) + 0.5) / 1_000_000
    assert abs(to_bets(grid).mean() - 1) < 0.01


@given(st.floats(0, 1))
def test_a_bet_is_positive_and_finite(p_value: float) -> None:
    assert 0 < to_bets(np.array([p_value]))[0] < 1e9


def test_a_change_is_found_after_few_requests() -> None:
    detector = StreamDetector(PROFILE, mean_requests=2_000)
    assert not detector.push(to_rows(texts(100, seed=2)))
    alarms = detector.push(to_rows(texts(100, 3, FRENCH)))
    assert 100 < alarms[0].request <= 120


def test_without_a_change_alarms_are_as_rare_as_stated() -> None:
    pool = to_rows(texts(2_000, seed=4))
    count = sum(
        len(StreamDetector(PROFILE, 1_000, seed).push(pool)) for seed in range(5)
    )
    assert count <= 10  # 10,000 requests at one in 1,000


def test_requests_one_by_one_give_the_alarms_of_all_at_once() -> None:
    rows = pa.concat_tables([to_rows(texts(20, 5)), to_rows(texts(30, 3, FRENCH))])
    one, other = (StreamDetector(PROFILE, 500) for _ in range(2))
    single = [a for at in range(50) for a in one.push(rows.slice(at, 1))]
    whole = other.push(rows)
    assert one.num_requests == other.num_requests == 50
    assert single and whole
