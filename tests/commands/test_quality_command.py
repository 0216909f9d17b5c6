"""`graft quality` and `graft review --requests` on a log that was written."""

import json
import time
from pathlib import Path

import pytest
from logged_requests import log_config, served_request

from graft.commands import quality, review
from graft.config import MonitoringConfig, RegistryConfig
from graft.config.params import Params
from graft.errors import ConfigError
from graft.evaluation.review.key import read_key
from graft.monitoring.feedback import FILE, RatedAnswer, append_line
from graft.monitoring.request_log.recorder import RequestRecorder

REGISTRY = RegistryConfig(name="m", experiment="e", tracking_uri="sqlite:///a.db")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A folder with the logs of three requests of now, and the rating of one."""
    recorder = RequestRecorder(log_config(), tmp_path / "log", redact=str)
    for number in range(3):
        now = round(1000 * time.time())
        recorder.observe(served_request(number, time_ms=now))
    recorder.close()
    rated = RatedAnswer(
        time_ms=now, request="request-1", client=None, version=None, verdict="bad"
    )
    append_line(tmp_path / "feedback" / FILE, rated.model_dump())
    return tmp_path


def test_the_report_is_text_and_json(
    log: Path, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    values = params.monitoring.model_dump()
    values["request_log"]["folder"] = str(log / "log")
    values["feedback"]["folder"] = str(log / "feedback")
    monitoring = MonitoringConfig.model_validate(values)
    report = quality.run(monitoring, params.evaluate, json=True)
    assert "translator/3, main: 3 requests" in capsys.readouterr().out
    assert report is not None and report["versions"][0]["good"]["number"] == 1
    with pytest.raises(ConfigError, match="--hours"):
        quality.run(monitoring, params.evaluate, hours=0)


def test_answers_of_the_log_become_a_sheet_whose_grades_are_reported(
    log: Path, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    out = log / "review"
    review.run(REGISTRY, requests=log / "log", out=out)
    assert "graft quality --labels" in capsys.readouterr().out
    assert "Le chat dort." in (out / "sheets/rating.html").read_text("utf-8")
    assert not (out / "sheets/ab.html").exists()
    key = read_key(out / "key.json")
    grades = {"fluency": "4", "relevance": "5", "clarity": "4"}
    form = {
        "sheet": key.sheet,
        "rater": "Ann",
        "answers": dict.fromkeys(key.rating, grades),
    }
    (log / "ann.json").write_text(json.dumps(form), "utf-8")
    values = params.monitoring.model_dump()
    values["request_log"]["folder"] = str(log / "log")
    report = quality.run(
        MonitoringConfig.model_validate(values),
        params.evaluate,
        labels=[log / "ann.json"],
        key=out / "key.json",
        json=True,
    )
    assert report is not None
    assert report["grades"]["translator/3"]["relevance"]["value"] == 5
