"""`graft drift` on rows of a request log and of files."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drift_rows import CONFIG, FRENCH, make_reference, texts, to_rows
from logged_requests import served_request

from graft import io
from graft.commands import drift
from graft.config import DataConfig
from graft.config.params import load_params
from graft.errors import GraftError
from graft.monitoring.drift.profile import write_profile
from graft.monitoring.features import Features
from graft.monitoring.request_log.schema import SCHEMA, Texts, to_row
from graft.monitoring.request_log.shard import Shard, write_shard
from graft.stages import convert
from test_pipeline import load_yaml

ROOT = Path(__file__).parents[2]
PARAMS = load_params(ROOT / "params.yaml")


def run(folder: Path, **options: Any) -> dict[str, Any] | None:
    """With the profile and the log in a folder."""
    log = PARAMS.monitoring.request_log.model_copy(
        update={"folder": str(folder / "log")}
    )
    monitoring = PARAMS.monitoring.model_copy(
        update={"drift": CONFIG, "request_log": log}
    )
    profile = folder / "profile.parquet"
    return drift.run(
        PARAMS.model,
        monitoring,
        PARAMS.prompt,
        PARAMS.registry,
        **{"profile": profile, "json": True} | options,
    )


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    write_profile(tmp_path / "profile.parquet", make_reference())
    return tmp_path


def log_requests(folder: Path, prompts: list[str]) -> None:
    """Write them to the request log, with their texts."""
    now = round(time.time() * 1000)
    rows = []
    for number, values in enumerate(to_rows(prompts).to_pylist()):
        request = served_request(id=str(number), time_ms=now - 1000 + number)
        kept = Texts(prompts[number], ["Réponse."])
        rows.append(to_row(request, Features.from_row(values), kept))
    (folder / "log").mkdir()
    shard = Shard.new(now - 1000, now, 0)
    write_shard(folder / "log", shard, [pa.Table.from_pylist(rows, SCHEMA)])


def test_requests_like_the_training_data_are_no_drift(folder: Path) -> None:
    log_requests(folder, texts(100, seed=4))
    found = run(folder)
    assert found is not None
    assert (found["state"], found["exit_status"]) == ("no_drift", 0)
    assert json.dumps(found)


def test_drift_in_the_log_has_rows_and_a_page(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = [*texts(70, seed=4), *texts(30, 2, FRENCH)]
    log_requests(folder, prompts)
    page, rows = folder / "page.html", folder / "rows.jsonl"
    with pytest.raises(SystemExit, match="1"):
        run(folder, json=False, page=page, rows=rows)
    out = capsys.readouterr().out
    assert "drifted: the requests differ from the training data" in out
    assert re.search(r"en \d+ %, fr \d+ %", out)
    times = re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", out)
    assert len(times) == 3  # of the window, and of the first alarm
    text = page.read_text("utf-8")
    assert "Requests that drifted most" in text and "<script" not in text
    first, *_ = [row for _, row in io.read_json_lines(rows)]
    assert first["prompt"] in prompts[70:]
    assert (first["completion"], first["correction"]) == ("Réponse.", "")
    assert first["prompt"] in text


def test_a_page_escapes_what_users_wrote(folder: Path) -> None:
    log_requests(folder, ["<script>alert(1)</script>"] * 100)
    run(folder, page=folder / "page.html")
    assert "<script" not in (folder / "page.html").read_text("utf-8")


def test_answered_rows_that_drifted_become_examples_and_others_are_rejected(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_requests(folder, [*texts(70, seed=4), *texts(30, 2, FRENCH)])
    monkeypatch.chdir(folder)
    run(folder, rows=Path("data/drifted/rows.jsonl"))
    rows = [row for _, row in io.read_json_lines(Path("data/drifted/rows.jsonl"))]
    rows[0]["correction"] = "An answer by a person"
    io.write_json_lines(Path("data/drifted/rows.jsonl"), rows)
    data = DataConfig.model_validate(load_yaml(ROOT / "configs/data/drifted.yaml"))
    report = Path("convert.json")
    convert.run(
        PARAMS.convert,
        data,
        PARAMS.task,
        PARAMS.engine,
        out=Path("converted"),
        rejects=Path("rejects"),
        report=report,
    )
    (example,) = io.read_table(Path("converted")).to_pylist()
    assert example["messages"][0]["content"] == rows[0]["prompt"]
    assert io.num_rows(Path("rejects")) == len(rows) - 1


def test_an_analysis_that_fails_is_a_state_and_never_no_drift(folder: Path) -> None:
    (folder / "profile.parquet").unlink()
    log_requests(folder, texts(100, seed=4))
    found = run(folder)
    assert found is not None
    assert (found["state"], found["exit_status"]) == ("failed", 1)
    assert "no such file" in found["reason"]
    with pytest.raises(GraftError, match="no such file"):
        run(folder, json=False)


def test_few_requests_are_a_state_and_never_no_drift(folder: Path) -> None:
    log_requests(folder, texts(10, seed=4))
    found = run(folder)
    assert found is not None
    assert (found["state"], found["exit_status"]) == ("too_few_requests", 1)


def test_a_file_of_features_is_compared(folder: Path) -> None:
    pq.write_table(to_rows(texts(100, 2, FRENCH)), folder / "data.parquet")
    found = run(folder, data=folder / "data.parquet")
    assert found is not None and found["state"] == "drifted"
    assert found["stream"][0]["request"] < 20


def test_prompts_of_a_file_are_tokenized(folder: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(ROOT)
    prompts = [{"prompt": text} for text in texts(60, seed=4)]
    io.write_json_lines(folder / "data.jsonl", prompts)
    found = run(folder, data=folder / "data.jsonl")
    assert found is not None and found["num_requests"] == 60
    opening = next(one for one in found["features"] if one["feature"] == "opening")
    assert opening["drifted"]  # the profile's template is another one


def test_a_file_without_prompts_is_refused(folder: Path) -> None:
    io.write_json_lines(folder / "data.jsonl", [{"text": "Hello"}])
    found = run(folder, data=folder / "data.jsonl")
    assert found is not None and "without the field prompt" in found["reason"]
