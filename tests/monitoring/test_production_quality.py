"""Quality in production: texts, intervals, the report, labels and review sheets."""

from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from logged_requests import served_request

from graft.config import EvaluateConfig
from graft.errors import ConfigError
from graft.evaluation.review.responses import Cell
from graft.evaluation.review.sampling import sample_items
from graft.monitoring.features import to_features
from graft.monitoring.feedback import RatedAnswer
from graft.monitoring.quality.answers import to_predictions, version_of
from graft.monitoring.quality.intervals import mean, share
from graft.monitoring.quality.labels import to_grades
from graft.monitoring.quality.online import to_scores
from graft.monitoring.quality.report import to_report
from graft.monitoring.quality.text import to_text
from graft.monitoring.quality.texts import is_refusal, repetition
from graft.monitoring.request_log.schema import SCHEMA, Texts, to_row
from graft.monitoring.served_request import ServedRequest


def table(*requests: ServedRequest, texts: bool = True) -> pa.Table:
    rows = [
        to_row(
            one,
            to_features(one.prompt or "", one.prompt_ids),
            Texts(one.prompt or "", list(one.completions)) if texts else None,
        )
        for one in requests
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


def rated(request: str, verdict: str, correction: str | None = None) -> RatedAnswer:
    return RatedAnswer.model_validate(
        {
            "time_ms": 1,
            "request": request,
            "client": None,
            "version": None,
            "verdict": verdict,
            "correction": correction,
        }
    )


@pytest.mark.parametrize(
    ("text", "refuses"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("As an AI language model, I have no opinion.", True),
        ("Je suis désolé, mais je ne peux pas répondre.", True),
        ("Ich kann dir leider nicht helfen.", True),
        ("I cannot believe how good it is.", False),
        ("Le chat dort.", False),
        ("word " * 100 + "I cannot help with that.", False),
    ],
)
def test_a_refusal_is_found_where_it_begins(text: str, refuses: bool) -> None:
    assert is_refusal(text) is refuses


def test_repetition_is_the_part_of_repeated_ngrams() -> None:
    assert repetition("one two three four five six seven eight") == 0
    assert repetition("a b c d " * 50) > 0.9
    assert repetition("日本語のテキスト" * 30) > 0.8
    assert repetition("") == repetition("one") == 0


@given(text=st.text(max_size=300))
def test_repetition_is_a_share_for_every_text(text: str) -> None:
    assert 0 <= repetition(text) < 1


@settings(max_examples=30)
@given(number=st.integers(1, 500), part=st.floats(0, 1))
def test_an_interval_contains_its_value(number: int, part: float) -> None:
    found = share(round(part * number), number)
    assert found.low is not None and found.high is not None
    assert found.value is not None
    assert -1e-9 <= found.low <= found.value + 1e-9 <= found.high + 2e-9 <= 1 + 3e-9


def test_a_mean_has_no_interval_without_two_values() -> None:
    assert mean([]).value is None and mean([3]).low is None
    found = mean([1, 2, 3])  # Student's quantile 4.303 times 1 / √3
    assert (found.low, found.high) == pytest.approx((-0.484, 4.484), abs=1e-3)


def test_versions_and_groups_are_reported_apart() -> None:
    requests = [served_request(n) for n in range(10)]
    requests += [
        served_request(
            n,
            version="translator/4",
            group="canary",
            guards={"personal_data": 1},
            completions=["I'm sorry, but I can't help with that."],
        )
        for n in range(10, 14)
    ]
    feedback = [rated("request-0", "bad"), rated("request-0", "good")]
    feedback += [rated("request-11", "bad"), rated("unknown", "bad")]
    report = to_report(table(*requests, texts=False), feedback, [13, 13, 14])
    main, canary = report["versions"]
    assert (main["group"], canary["group"]) == ("main", "canary")
    assert main["good"]["value"] == 1 and canary["good"]["value"] == 0
    assert (main["refusals"]["value"], canary["refusals"]["value"]) == (0, 1)
    assert canary["guarded"]["number"] == 4
    assert report["num_ratings_without_request"] == 1
    text = to_text(report)
    assert "translator/4, canary: 4 requests" in text
    assert "rated good               100.0 %   95 % 20.7 to 100.0   of 1" in text


def test_a_log_without_requests_is_a_report_with_unknown_values() -> None:
    report = to_report(SCHEMA.empty_table(), [])
    assert report["versions"] == [] and "0 requests" in to_text(report)
    failed = served_request(1, outcome="failed", status=500)
    report = to_report(table(failed), [])
    assert "unknown" in to_text(report)


def test_corrections_are_references_of_the_metrics() -> None:
    values = yaml.safe_load(Path("params.yaml").read_text("utf-8"))["evaluate"]
    evaluate = EvaluateConfig.model_validate(values | {"metrics": ["chrf"]})
    rows = table(served_request(1), served_request(2), served_request(3))
    feedback = [
        rated("request-1", "good", "Le chat dort."),
        rated("request-2", "bad", "Tout autre chose, vraiment"),
        rated("request-3", "good"),
    ]
    scores = to_scores(rows, feedback, evaluate)["translator/3"]
    assert {one["number"] for one in scores.values()} == {2}
    assert all(one["low"] <= one["value"] <= one["high"] for one in scores.values())
    assert not to_scores(table(served_request(1), texts=False), feedback, evaluate)


def test_grades_of_sheets_are_means_of_each_version() -> None:
    requests = [served_request(n, version=f"t/{n % 2}") for n in range(8)]
    rows = to_predictions(table(*requests), "log")
    key = sample_items(rows, 6, 1, None)
    assert not key.ab and len(key.rating) == 6
    cells = [
        Cell("f", key.sheet, "ann", name, "rating", question, grade)
        for name, item in key.rating.items()
        for grade in ["5" if version_of(item.stratum) == "t/0" else "2"]
        for question in ("fluency", "relevance", "clarity")
    ]
    grades = to_grades(key, cells)
    assert grades["t/0"]["fluency"]["value"] == 5
    assert grades["t/1"]["clarity"] == {"number": 3, "value": 2, "low": 2, "high": 2}


def test_a_log_without_texts_has_no_answers_to_review() -> None:
    with pytest.raises(ConfigError, match="texts=true"):
        to_predictions(table(served_request(1), texts=False), "log")
