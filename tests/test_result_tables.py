"""Results as pandas tables."""

from pathlib import Path

import pytest

from graft import io, results
from graft.errors import DataError

REPORT = {
    "num_examples": 9,
    "base": {"bleu": 1.0},
    "tuned": {"bleu": 80.0},
    "difference": {"bleu": 79.0},
    "intervals": {
        "base": {"bleu": [0.5, 2.0]},
        "tuned": {"bleu": [78.0, 82.0]},
        "difference": {"bleu": [77.0, 81.0]},
    },
    "strata": [
        {
            "stratum": "news",
            "num_examples": 4,
            "base": {"bleu": 1.5},
            "tuned": {"bleu": 70.0},
        }
    ],
}


def test_scores_have_a_row_for_each_metric_system_and_stratum(tmp_path: Path) -> None:
    io.write_json(tmp_path / "evaluate.json", REPORT)
    found = results.read_scores(tmp_path / "evaluate.json").set_index(
        ["stratum", "metric", "system"]
    )
    assert list(found.loc[("", "bleu", "tuned"), ["value", "low", "high"]]) == [
        80.0,
        78.0,
        82.0,
    ]
    assert found.loc[("news", "bleu", "tuned"), "value"] == 70.0
    assert len(found) == 5


def test_a_report_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="evaluate.json"):
        results.read_scores(tmp_path / "evaluate.json")


def test_curves_are_one_table_with_their_part(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(
        "step,loss,packing_efficiency\n1,3.0,0.5\n2,2.0,0.5\n"
    )
    (tmp_path / "validation.csv").write_text("step,loss\n0,4.0\n")
    found = results.read_curves(tmp_path)
    assert found.groupby("part")["loss"].min().to_dict() == {
        "train": 2.0,
        "validation": 4.0,
    }


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_missing_curve_is_named_with_what_makes_it(tmp_path: Path, part: str) -> None:
    for name in {"train", "validation"} - {part}:
        (tmp_path / f"{name}.csv").write_text("step,loss\n1,3.0\n")
    with pytest.raises(DataError, match=rf"{part}\.csv: no such file") as error:
        results.read_curves(tmp_path)
    assert "dvc repro train" in error.value.fix
    assert "dvc pull curves" in error.value.fix


def test_a_comparison_has_a_row_for_each_variant(tmp_path: Path) -> None:
    rows = [{"name": name, "scores": {"bleu": {"value": 3.0}}} for name in ("a", "b")]
    io.write_json(tmp_path / "compare.json", {"rows": rows})
    found = results.read_comparison(tmp_path)
    assert list(found["name"]) == ["a", "b"]
    assert list(found["scores.bleu.value"]) == [3.0, 3.0]
