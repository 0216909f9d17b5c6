"""What a running training shows to Prometheus."""

import socket
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from graft.telemetry.names import Training
from graft.telemetry.training import FILE, PORT, TrainingMetrics
from graft.tracking.journal import Journal
from graft.tracking.run import Run

LOGGED = {
    "train/loss": 2.5,
    "train/gradient_norm": 0.7,
    "train/tokens_per_s": 900.0,
    "train/mfu": 0.4,
    "train/memory_gib": 2.0,
}


def values(text: str) -> dict[str, float]:
    families = text_string_to_metric_families(text)
    return {s.name: s.value for family in families for s in family.samples}


def fetch(url: str) -> str:
    with urlopen(url, timeout=60) as response:
        text: str = response.read().decode()
    return text


def test_a_training_shows_its_step_loss_speed_memory_and_time(tmp_path: Path) -> None:
    file = tmp_path / "train.prom"
    metrics = TrainingMetrics({FILE: str(file)})
    before = time.time()
    metrics.read({"validation/loss": 3.0}, 0)
    assert values(file.read_text("utf-8"))[Training.RUNNING.name] == 1
    metrics.read(LOGGED, 7)
    metrics.close(failed=False)
    found = values(file.read_text("utf-8"))
    assert before <= found.pop(Training.LAST_STEP.name) <= time.time()
    assert found == {
        Training.STEP.name: 7,
        Training.LOSS.name: 2.5,
        Training.GRADIENT_NORM.name: 0.7,
        Training.SPEED.name: 900,
        Training.MFU.name: 0.4,
        Training.MEMORY.name: 2 * 2**30,
        Training.RUNNING.name: 0,
        Training.FAILED.name: 0,
    }


def test_the_port_answers_while_the_training_runs(capfd: Any) -> None:
    metrics = TrainingMetrics({PORT: "0"})
    metrics.read({"train/loss": 1.5}, 3)
    url = capfd.readouterr().err.split()[-1]
    found = values(fetch(url))
    assert found[Training.STEP.name] == 3 and found[Training.LOSS.name] == 1.5
    assert found[Training.MEMORY.name] > 2**20  # without a GPU, the process's
    metrics.close(failed=False)
    with pytest.raises(OSError):
        fetch(url)


def test_other_stages_and_runs_that_are_not_asked_for_show_nothing(
    tmp_path: Path,
) -> None:
    file = tmp_path / "train.prom"
    for environment, logged in ((FILE, "test/bleu"), ("OTHER", "train/loss")):
        metrics = TrainingMetrics({environment: str(file)})
        metrics.read({logged: 1.0}, 1)
        metrics.close(failed=False)
    assert not file.exists()


def test_a_port_in_use_or_a_missing_folder_costs_a_warning(
    tmp_path: Path, capsys: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for environment in (
            {PORT: port},
            {PORT: "http"},
            {FILE: str(tmp_path / "none/train.prom")},
        ):
            metrics = TrainingMetrics(environment)
            metrics.read(LOGGED, 1)
            metrics.read(LOGGED, 2)
            metrics.close(failed=False)
            assert capsys.readouterr().err.count("warning") == 1


def test_a_run_that_an_error_ends_shows_that_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "train.prom"
    monkeypatch.setenv(FILE, str(file))
    monkeypatch.chdir(tmp_path)
    journal = Journal(tmp_path / "journal.jsonl")
    values_of_start = {"key": "k", "experiment": "e", "name": "n", "tags": {}}
    journal.append("start", 0, values_of_start)
    with pytest.raises(FloatingPointError):
        with Run(journal, "unknown://store", "k") as run:
            run.log_metrics(LOGGED, 5)
            raise FloatingPointError("the loss is infinite")
    found = values(file.read_text("utf-8"))
    assert found[Training.FAILED.name] == 1 and found[Training.RUNNING.name] == 0
    assert found[Training.STEP.name] == 5
