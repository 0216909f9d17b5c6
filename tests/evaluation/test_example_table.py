"""The table that MLflow shows has every example with both answers and their scores."""

import math

from graft.evaluation.example_table import COLUMNS, MOST_ROWS, to_example_table
from graft.metrics import METRICS
from graft.records import Prediction


def row(name: str, tuned: str, stratum: str = "all") -> Prediction:
    """A prediction whose base answer is wrong."""
    return Prediction(name, stratum, f"say {name}", ["a b", "a c"], "no", tuned)


def test_each_example_has_the_scores_of_its_own_answers() -> None:
    table = to_example_table(
        [row("1", "a c"), row("2", "x")], [METRICS["exact_match"], METRICS["answer_f1"]]
    )
    scores = [f"{m} ({s})" for m in ("exact_match", "answer_f1") for s in SYSTEMS]
    assert table["columns"] == [*COLUMNS, *scores]
    assert table["data"] == [
        ["say 1", "a c", "a b\na c", "no", "all", "1", 0, 100, 0, 100],
        ["say 2", "x", "a b\na c", "no", "all", "2", 0, 0, 0, 0],
    ]


def test_a_large_test_split_is_sampled_from_every_stratum() -> None:
    rows = [row(str(i), "x", "rare" if i % 9 == 0 else "all") for i in range(5000)]
    data = to_example_table(rows, [])["data"]
    assert len(data) == MOST_ROWS and len({one[5] for one in data}) == MOST_ROWS
    rare = sum(one[4] == "rare" for one in data)
    assert math.isclose(rare, MOST_ROWS / 9, abs_tol=2)


SYSTEMS = ("base", "tuned")
