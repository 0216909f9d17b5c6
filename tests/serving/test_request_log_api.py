"""The request log and feedback through the real API, without a model."""

import errno
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from api_server import running
from echo_engine import SteadyEcho
from tiny_server import load_without_weights, serving_config
from waiting import wait_until

from graft.config import MonitoringConfig
from graft.monitoring import feedback
from graft.monitoring.feedback import read_feedback
from graft.monitoring.names import Serving
from graft.monitoring.request_log import read_rows
from graft.serving.feedback_store import FeedbackStore
from graft.serving.observers import open_observers

LOADED = load_without_weights()
BODY = {"model": "translator", "prompt": "Écrire à a@b.fr.", "max_tokens": 4}


def monitoring(tmp_path: Path, **request_log: Any) -> MonitoringConfig:
    """The configuration of the repository, with folders in `tmp_path`."""
    values = yaml.safe_load(Path("params.yaml").read_text("utf-8"))["monitoring"]
    values["telemetry"] |= {"port": None}
    values["feedback"] |= {"folder": str(tmp_path / "feedback")}
    values["request_log"] |= {"folder": str(tmp_path / "log"), **request_log}
    return MonitoringConfig.model_validate(values)


@contextmanager
def serve(config: MonitoringConfig):
    """A server with the configured observers, and the store of feedback."""
    serving = serving_config()
    with open_observers(serving, config) as opened:
        observers = getattr(opened, "requests", opened)
        (store,) = (one for one in observers if isinstance(one, FeedbackStore))
        with running(LOADED, serving, SteadyEcho(), observers=observers) as server:
            yield server, store


def test_each_request_of_the_api_is_a_row_when_the_server_has_ended(
    tmp_path: Path,
) -> None:
    with serve(monitoring(tmp_path)) as (server, _):
        answer = server.post("/v1/completions", **BODY)
        refused = server.post("/v1/completions", **BODY, unknown=1)
        assert (answer.status_code, refused.status_code) == (200, 400)
    rows = read_rows(tmp_path / "log").to_pylist()
    assert [row["status"] for row in rows] == [200, 400]
    assert [row["route"] for row in rows] == ["/v1/completions"] * 2
    first = rows[0]
    assert first["id"] == answer.headers["x-request-id"]
    assert (first["version"], first["group"]) == ("translator/3", "main")
    assert first["num_completion_tokens"] == 4 and first["prompt_chars"] == 16
    assert first["prompt"] is None and rows[1]["version"] is None


def test_requests_of_a_user_have_one_unit_that_does_not_name_the_user(
    tmp_path: Path,
) -> None:
    with serve(monitoring(tmp_path)) as (server, _):
        for user in ("a@b.fr", "c@d.fr", "a@b.fr", None):
            server.post("/v1/completions", **BODY, user=user)
        server.post("/v1/completions", **BODY, unknown=1)
    first, second, again, address, refused = read_rows(tmp_path / "log")["unit"]
    assert first == again and first not in (second, address)
    assert address.is_valid and not refused.is_valid
    for path in (tmp_path / "log").iterdir():
        assert b"a@b.fr" not in path.read_bytes()


def test_texts_are_logged_without_personal_data_if_configured(tmp_path: Path) -> None:
    with serve(monitoring(tmp_path, texts=True)) as (server, _):
        server.post("/v1/completions", **BODY)
    row = read_rows(tmp_path / "log").to_pylist()[0]
    assert row["prompt"] == "Écrire à [EMAIL]." and len(row["completions"]) == 1


def test_the_api_answers_while_the_log_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("no folder")
    with serve(monitoring(tmp_path, shard_s=0.01)) as (server, _):
        for _ in range(3):
            assert server.post("/v1/completions", **BODY).status_code == 200


def test_feedback_is_stored_with_the_version_and_counted(tmp_path: Path) -> None:
    with serve(monitoring(tmp_path)) as (server, store):
        key = server.post("/v1/completions", **BODY).json()["id"]
        good = server.post("/v1/feedback", request=key, verdict="good")
        assert good.json()["version"] == "translator/3"
        better = {"correction": "Salut", "comment": "Zut"}
        old = server.post("/v1/feedback", request="old", verdict="bad", **better)
        assert old.status_code == 200 and old.json()["version"] is None
        counts = [(one.metric, one.labels, one.value) for one in store.readings()]
        assert counts == [(Serving.FEEDBACK, ("translator/3", "good"), 1)]
    first, second = read_feedback(tmp_path / "feedback")
    assert (first.request, first.verdict) == (key.removeprefix("cmpl-"), "good")
    assert (second.correction, second.version) == ("Salut", None)
    assert read_rows(tmp_path / "log")["id"].to_pylist()[0] == first.request


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"verdict": "great"}, "verdict"),
        ({"request": "../x"}, "request"),
        ({"correction": ""}, "correction"),
        ({"more": 1}, "more"),
    ],
)
def test_feedback_that_is_not_valid_names_its_field(
    tmp_path: Path, change: dict[str, Any], param: str
) -> None:
    with serve(monitoring(tmp_path)) as (server, _):
        body = {"request": "a", "verdict": "good"} | change
        answer = server.post("/v1/feedback", **body)
    assert answer.status_code == 400 and answer.json()["error"]["param"] == param


def test_feedback_that_cannot_be_stored_is_refused_and_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(feedback.os, "write", full)
    with serve(monitoring(tmp_path)) as (server, store):
        key = server.post("/v1/completions", **BODY).json()["id"]
        answer: httpx2.Response = server.post(
            "/v1/feedback", request=key, verdict="good"
        )
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "feedback_not_stored"
        assert not list(store.readings())


def test_a_file_of_feedback_has_a_limit(tmp_path: Path) -> None:
    config = monitoring(tmp_path)
    limited = config.feedback.model_copy(update={"max_bytes": 1})
    with serve(config.model_copy(update={"feedback": limited})) as (server, _):
        rate = {"request": "a", "verdict": "good"}
        assert server.post("/v1/feedback", **rate).status_code == 200
        assert server.post("/v1/feedback", **rate).status_code == 503
        wait_until(lambda: len(list(read_feedback(tmp_path / "feedback"))) == 1)
