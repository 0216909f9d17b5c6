"""The analyses of `graft watch` against a real registry, a request log and ratings."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from drift_rows import CONFIG, FRENCH, make_reference, texts, to_rows
from logged_requests import served_request
from registered_versions import EVALUATE, Registered, predict

from graft import io
from graft.config import GatedRegistryConfig
from graft.config.params import Params, load_params
from graft.errors import GraftError
from graft.evaluation.outputs import DRIFT
from graft.monitoring.drift.profile import FILE, write_profile
from graft.monitoring.features import Features
from graft.monitoring.feedback import FILE as FEEDBACK
from graft.monitoring.feedback import RatedAnswer, append_line
from graft.monitoring.request_log.schema import SCHEMA, Texts, to_row
from graft.monitoring.request_log.shard import Shard, write_shard
from graft.registry.canary import find_canary
from graft.registry.log import DecisionLog
from graft.serving.live_canary import step
from graft.serving.live_drift import LiveDrift
from graft.serving.watcher import load_watcher

# MLflow uses what SQLAlchemy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(name="params")
def _params(
    registry: GatedRegistryConfig, registered: Registered, tmp_path: Path
) -> Params:
    """With a champion, version 1, a challenger, version 2, and folders for logs."""
    for _ in range(2):
        registered.add(predict(0.1))
    registered.client.set_registered_model_alias("model", "champion", "1")
    plain = load_params(Path(__file__).parents[2] / "params.yaml")
    old = plain.monitoring
    log = old.request_log.model_copy(
        update={"folder": str(tmp_path / "log"), "texts": True}
    )
    feedback = old.feedback.model_copy(update={"folder": str(tmp_path / "feedback")})
    watch = old.watch.model_copy(
        update={
            "candidates": str(tmp_path / "drifted/rows.jsonl"),
            "state_file": str(tmp_path / "watch.json"),
        }
    )
    monitoring = old.model_copy(
        update={
            "request_log": log,
            "feedback": feedback,
            "drift": CONFIG,
            "watch": watch,
        }
    )
    return plain.model_copy(
        update={"registry": registry, "evaluate": EVALUATE, "monitoring": monitoring}
    )


def log_rows(folder: Path, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    times = [row["time_ms"] for row in rows]
    shard = Shard.new(min(times), max(times), 0)
    write_shard(folder, shard, [pa.Table.from_pylist(rows, SCHEMA)])


def log_prompts(folder: Path, prompts: list[str]) -> None:
    now = round(1000 * time.time())
    features = to_rows(prompts).to_pylist()
    rows = []
    for number, (prompt, values) in enumerate(zip(prompts, features, strict=True)):
        request = served_request(number, time_ms=now - 1000 + number)
        rows.append(to_row(request, Features.from_row(values), Texts(prompt, ["A"])))
    log_rows(folder, rows)


def log_profile(registered: Registered, folder: Path) -> None:
    write_profile(folder / FILE, make_reference())
    run_id = registered.client.get_model_version("model", "1").run_id
    registered.client.log_artifact(run_id, str(folder / FILE), DRIFT)


def test_a_canary_that_only_ratings_show_to_be_worse_is_ended(
    params: Params, tmp_path: Path
) -> None:
    first = step(params, "a test")
    assert first is not None and first.state == "failed" and not first.ends
    canary = find_canary(params.registry)
    assert canary is not None and canary.started_ms is not None
    rows, now = [], canary.started_ms
    for number in range(120):
        is_canary = number % 2 == 0
        request = served_request(
            number,
            time_ms=now + number,
            version="model/2" if is_canary else "model/1",
            group="canary" if is_canary else "main",
            client=None,
        )
        rows.append(to_row(request, None, None))
        rated = RatedAnswer(
            time_ms=now + number,
            request=request.id,
            client=None,
            version=None,
            verdict="bad" if is_canary else "good",
        )
        append_line(tmp_path / "feedback" / FEEDBACK, rated.model_dump())
    log_rows(tmp_path / "log", rows)
    found = step(params, "a test")
    assert found is not None and found.state == "rollback"
    assert "bad_ratings" in found.reason
    assert step(params, "a test") is None
    made = DecisionLog.open(params.registry).read()[-1]
    assert (made.action, made.to_version, made.via) == ("end_canary", "2", "a test")
    assert made.failed == ["canary bad_ratings"]


def test_a_broken_line_of_feedback_is_a_failed_analysis(
    params: Params, tmp_path: Path
) -> None:
    log_prompts(tmp_path / "log", texts(5, seed=4))
    append_line(tmp_path / "feedback" / FEEDBACK, {"verdict": "good"})
    found = step(params, "a test")
    assert found is not None and found.state == "failed"
    assert "feedback.jsonl" in found.reason


def test_drift_is_told_once_and_its_rows_are_added_without_loss(
    params: Params, registered: Registered, tmp_path: Path
) -> None:
    log_profile(registered, tmp_path)
    told: list[Mapping[str, Any]] = []
    drift = LiveDrift(params.registry, params.monitoring, told.append)
    log_prompts(tmp_path / "log", texts(100, seed=4))
    assert drift.analyse().state == "no_drift" and not told
    log_prompts(tmp_path / "log", texts(100, 2, FRENCH))
    assert drift.analyse().state == "drifted"
    path = Path(params.monitoring.watch.candidates)
    rows = [row for _, row in io.read_json_lines(path)]
    assert rows
    rows[0]["correction"] = "An answer by a person"
    io.write_json_lines(path, rows)
    log_prompts(tmp_path / "log", texts(100, 3, FRENCH))
    assert drift.analyse().state == "drifted"
    later = [row for _, row in io.read_json_lines(path)]
    assert later[: len(rows)] == rows and len(later) > len(rows)
    assert [one["new_candidates"] for one in told] == [len(rows)]
    assert "language" in told[0]["features"]
    path.write_text("no JSON", "utf-8")
    assert drift.analyse().state == "drifted"  # all the same


def test_without_a_champion_or_its_profile_drift_is_unknown(
    params: Params, registered: Registered
) -> None:
    drift = LiveDrift(params.registry, params.monitoring, lambda _: None)
    with pytest.raises(GraftError, match="no artifact drift/profile.parquet"):
        drift.analyse()
    registered.client.delete_registered_model_alias("model", "champion")
    with pytest.raises(GraftError, match="there is no champion"):
        drift.analyse()


def test_the_watcher_repeats_all_analyses(
    params: Params, registered: Registered, tmp_path: Path
) -> None:
    log_profile(registered, tmp_path)
    log_prompts(tmp_path / "log", texts(100, 2, FRENCH))
    watcher = load_watcher(params)
    try:
        for one in watcher.works:
            one.work()
    finally:
        watcher.notifications.close()
    intervals = {one.name: one.every_s for one in watcher.works}
    assert intervals["the canary"] == params.monitoring.canary.every_s
    assert intervals["drift"] == params.monitoring.drift.every_s
    canary = find_canary(params.registry)
    assert canary is not None and canary.started_ms is not None
    assert Path(params.monitoring.watch.candidates).exists()
