"""The routes of `graft watch`, with fakes for what acts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from alertmanager_alerts import alert_body, group_body

from graft.errors import ConfigError
from graft.monitoring.names import Watch
from graft.monitoring.watch.alerts import Alert
from graft.monitoring.watch.app import create_app
from graft.monitoring.watch.values import MetricValues

Post = Callable[..., httpx2.Response]
SECRET = "correct horse battery staple"


@pytest.fixture(name="token_file")
def _token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    return file


def ask(app: Any, method: str, path: str, **options: Any) -> httpx2.Response:
    """The answer of an app that runs in this process."""
    import asyncio

    async def run() -> httpx2.Response:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://w") as one:
            return await one.request(method, path, **options)

    return asyncio.run(run())


@pytest.fixture(name="post")
def _post(token_file: Path) -> Post:
    """Sends a document to an app whose alerts have the outcome in the label action."""

    def handle(alert: Alert) -> str:
        return alert.action

    app = create_app(MetricValues(), handle, token_file)

    def post(body: Any, authorization: str = f"Bearer {SECRET}") -> httpx2.Response:
        headers = {"authorization": authorization}
        return ask(app, "POST", "/alerts", json=body, headers=headers)

    return post


def test_each_alert_of_a_document_has_its_outcome(post: Post) -> None:
    answer = post(group_body(alert_body("done", "m/2"), alert_body("noted", "m/2")))
    assert (answer.status_code, answer.json()) == (200, {"outcomes": ["done", "noted"]})


def test_alertmanager_sends_again_what_failed(post: Post) -> None:
    answer = post(group_body(alert_body("done", "m/2"), alert_body("failed", "m/2")))
    assert answer.status_code == 503


@pytest.mark.parametrize(
    "header", ["", SECRET, "Bearer ", "Bearer x", f"Basic {SECRET}"]
)
def test_without_the_secret_nothing_is_read(post: Post, header: str) -> None:
    assert post({"not": "read"}, header).status_code == 401


def test_the_secret_can_be_changed_while_it_runs(post: Post, token_file: Path) -> None:
    token_file.write_text("new", encoding="utf-8")
    assert post(group_body()).status_code == 401
    assert post(group_body(), "Bearer new").status_code == 200


def test_fields_of_newer_versions_of_alertmanager_are_ignored(post: Post) -> None:
    document = group_body(alert_body("done", "m/2") | {"new": 1}) | {"newer": {}}
    assert post(document).status_code == 200


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "text",
        group_body() | {"version": "3"},
        group_body(alert_body("done", "m/2") | {"startsAt": "yesterday"}),
        group_body(alert_body("done", "m/2") | {"labels": {"a": {"b": 1}}}),
        group_body(alert_body("done", "m/2") | {"fingerprint": "../../x"}),
    ],
)
def test_other_documents_are_refused(post: Post, document: Any) -> None:
    assert post(document).status_code == 422


def test_an_endless_body_is_refused(post: Post) -> None:
    assert post({"a": "x" * 2_000_001}).status_code == 413


def test_without_a_file_of_the_secret_alerts_are_refused() -> None:
    app = create_app(MetricValues(), lambda _: "done", None)
    assert ask(app, "POST", "/alerts", json=group_body()).status_code == 403


def test_a_missing_or_empty_secret_is_an_error_at_the_start(tmp_path: Path) -> None:
    for name, text in (("missing", None), ("empty", " \n")):
        if text is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match="token_file"):
            create_app(MetricValues(), lambda _: "done", tmp_path / name)


def test_metrics_are_in_the_text_format_of_prometheus() -> None:
    values = MetricValues()
    values.set(Watch.REGISTRY_UP, 1)
    values.replace(Watch.CHAMPION, {("m/1",): 1})
    values.replace(Watch.CHAMPION, {("m/2",): 1})
    values.add(Watch.ALERTS, "Rule", "done")
    values.add(Watch.ALERTS, "Rule", "done")
    answer = ask(create_app(values, lambda _: "done", None), "GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert lines == [
        "graft_registry_up 1.0",
        'graft_registry_champion_info{version="m/2"} 1.0',
        'graft_alerts_received_total{alert="Rule",outcome="done"} 2.0',
    ]
