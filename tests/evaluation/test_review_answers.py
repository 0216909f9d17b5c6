"""Filled files as the sheet's page saves them, or as people spoil them → a report."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_review_sheets import make_rows

from graft import io
from graft.errors import DataError
from graft.evaluation.review.key import Key, Kind, System
from graft.evaluation.review.report import to_metrics, to_report
from graft.evaluation.review.responses import read_responses
from graft.evaluation.review.sampling import sample_items
from graft.evaluation.review.text import to_text

KEY = sample_items(make_rows(30), 10, 4, "run-1")
QUESTIONS = ("fluency", "relevance", "clarity")
Said = dict[str, dict[str, str]]


def save_csv(path: Path, rater: str, said: Said, key: Key = KEY) -> Path:
    """As the page saves it: a mark that says UTF-8, quoted names, CRLF."""
    questions = [*next(iter(said.values()))]
    quoted = '"' + rater.replace('"', '""') + '"'
    lines = [",".join(["sheet", "rater", "item", *questions])]
    for item, values in said.items():
        lines.append(",".join([key.sheet, quoted, item, *values.values()]))
    path.write_bytes(("\ufeff" + "\r\n".join([*lines, ""])).encode())
    return path


def save_json(path: Path, rater: str, said: Said, key: Key = KEY) -> Path:
    """As the page saves it: what was unanswered is null."""
    answers = {
        item: {name: value or None for name, value in row.items()}
        for item, row in said.items()
    }
    form = {"sheet": key.sheet, "rater": rater, "answers": answers}
    path.write_text(json.dumps(form, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return path


def prefer(system: System, *, tie: int = 0, lost: int = 0, empty: int = 0) -> Said:
    """Choices for a system; the first few pairs tie, are lost or unanswered."""
    said = {}
    for place, (item, row) in enumerate(KEY.ab.items()):
        choice = "AB"[row.systems.index(system)]
        if place < tie:
            choice = "tie"
        elif place < tie + lost:
            choice = {"A": "B", "B": "A"}[choice]
        elif place < tie + lost + empty:
            choice = ""
        said[item] = {"choice": choice}
    return said


def grade(base: int, tuned: int) -> Said:
    """The same grades for all answers of a system; the rarer one if both say it."""
    grades = {"base": base, "tuned": tuned}
    return {
        item: dict.fromkeys(QUESTIONS, str(grades[row.systems[0]]))
        for item, row in KEY.rating.items()
    }


def report_of(*paths: Path) -> dict[str, Any]:
    return to_report(
        KEY, [cell for path in paths for cell in read_responses(path, KEY)]
    )


def test_csv_and_json_of_the_page_are_equivalent(tmp_path: Path) -> None:
    name = 'Zoë "Z", O’Hara'
    for kind, said in {"ab": prefer("base", tie=2, empty=3), "r": grade(2, 4)}.items():
        csv = read_responses(save_csv(tmp_path / f"{kind}.csv", name, said), KEY)
        json = read_responses(save_json(tmp_path / f"{kind}.json", name, said), KEY)
        assert [(c.rater, c.item, c.question, c.value) for c in csv] == [
            (name, item, question, value)
            for item, row in said.items()
            for question, value in row.items()
        ]
        assert [{**vars(c), "where": ""} for c in csv] == [
            {**vars(c), "where": ""} for c in json
        ]


def test_a_spreadsheets_own_csv_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{KEY.sheet};Ann;{item};A" for item in KEY.ab]
    path.write_text("\n".join(["sheet;rater;item;choice", *rows, ";;;", "", ""]))
    assert [cell.value for cell in read_responses(path, KEY)] == ["A"] * 10


def test_wins_ties_losses_and_missing_answers_are_counted(tmp_path: Path) -> None:
    said = prefer("tuned", tie=2, lost=1, empty=3)
    pairs = report_of(save_csv(tmp_path / "a.csv", "Ann", said))["ab"]
    assert pairs["win_rate"]["value"] == pytest.approx((4 + 2 / 2) / 7, abs=1e-4)
    assert pairs["win_rate"]["low"] < pairs["win_rate"]["value"]
    assert pairs["sign_test"] == {
        "num_wins": 4,
        "num_losses": 1,
        "num_ties": 2,
        "p_value": pytest.approx(2 * (1 + 5) / 2**5),
    }
    assert pairs["num_missing"] == {"Ann": 3}
    assert pairs["agreement"]["alpha"] is None


def test_agreement_does_not_depend_on_the_sides(tmp_path: Path) -> None:
    paths = [
        save_csv(tmp_path / "a.csv", "Ann", prefer("tuned", lost=4)),
        save_json(tmp_path / "b.json", "Bob", prefer("tuned", lost=4)),
    ]
    pairs = report_of(*paths)["ab"]
    assert pairs["num_raters"] == 2
    assert pairs["agreement"]["alpha"] == pytest.approx(1)
    assert pairs["win_rate"]["value"] == pytest.approx(0.6)


def test_ratings_are_means_by_system_with_a_paired_difference(tmp_path: Path) -> None:
    paths = [
        save_csv(tmp_path / "a.csv", "Ann", grade(2, 4)),
        save_csv(tmp_path / "b.csv", "Bob", grade(1, 3)),
    ]
    report = report_of(*paths)
    assert report["ab"] is None
    shared = sum(len(row.systems) == 2 for row in KEY.rating.values())
    assert shared == 1  # rated as the base is, for both
    for row in report["rating"]["questions"].values():
        assert row["base"] == {"value": 1.5, "low": 1.5, "high": 1.5}
        assert row["tuned"]["value"] == pytest.approx((9 * 3.5 + 1.5) / 10)
        assert row["difference"]["value"] == pytest.approx(1.8)
        assert row["difference"]["low"] > 1
        assert row["agreement"]["alpha"] is not None
    assert report["rating"]["num_missing"] == {"Ann": 0, "Bob": 0}


def test_the_report_does_not_depend_on_the_order_of_files(tmp_path: Path) -> None:
    paths = [
        save_csv(tmp_path / "a.csv", "Bob", prefer("base", tie=1)),
        save_csv(tmp_path / "b.csv", "Ann", prefer("tuned", lost=2)),
        save_csv(tmp_path / "c.csv", "Ann", grade(2, 3)),
    ]
    io.write_json(tmp_path / "1", report_of(*paths))
    io.write_json(tmp_path / "2", report_of(*reversed(paths)))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_saving_twice_counts_once_and_a_later_save_completes(tmp_path: Path) -> None:
    half = save_csv(tmp_path / "a.csv", "Ann", prefer("tuned", empty=5))
    whole = save_json(tmp_path / "a.json", "Ann", prefer("tuned"))
    assert report_of(half, whole) == report_of(whole)


def test_contradictory_answers_of_a_rater_are_an_error(tmp_path: Path) -> None:
    first = save_csv(tmp_path / "a.csv", "Ann", prefer("tuned"))
    other = save_csv(tmp_path / "b.csv", "Ann", prefer("base"))
    with pytest.raises(DataError, match="b.csv: row 2: Ann answered") as caught:
        report_of(first, other)
    assert f"{first}: row 2" in caught.value.problem


def test_a_sheet_sent_back_empty_is_counted_as_missing(tmp_path: Path) -> None:
    said = prefer("tuned", empty=10)
    report = report_of(save_csv(tmp_path / "a.csv", "Ann", said))
    assert report["ab"]["num_missing"] == {"Ann": 10}
    assert report["ab"]["win_rate"] is None
    assert "no answer" in to_text(report)
    assert "review/win_rate" not in to_metrics(report)


def test_the_text_and_the_metrics_agree_with_the_report(tmp_path: Path) -> None:
    report = report_of(
        save_csv(tmp_path / "a.csv", "Ann", prefer("tuned", lost=2, empty=1)),
        save_csv(tmp_path / "b.csv", "Bob", prefer("tuned", lost=2)),
        save_csv(tmp_path / "c.csv", "Ann", grade(2, 4)),
    )
    text, metrics = to_text(report), to_metrics(report)
    assert "Which answer is better: 10 pairs, 2 raters" in text
    assert "8 won, 2 lost, 0 tied: p = 0.1094" in text
    assert f"tuned wins     {100 * metrics['review/win_rate']:.1f} %" in text
    assert "unanswered     1 by Ann" in text
    assert "Krippendorff's alpha" in text
    assert "not computed: fewer than two raters" in text
    assert metrics["review/sign_test/p_value"] == pytest.approx(112 / 1024)
    assert metrics["review/ab/num_missing"] == 1
    assert metrics["review/fluency/difference"] == pytest.approx(1.8)
    assert "review/fluency/alpha" not in metrics


@pytest.mark.parametrize("kind", ["ab", "rating"])
def test_a_sheet_without_responses_is_reported(kind: Kind, tmp_path: Path) -> None:
    said = prefer("tuned") if kind == "ab" else grade(1, 2)
    report = report_of(save_csv(tmp_path / "a.csv", "Ann", said))
    assert to_text(report).count("no responses") == 1
    assert report[kind] is not None
