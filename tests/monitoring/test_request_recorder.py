"""The request log while the API observes requests: what is lost is counted."""

import errno
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logged_requests import DeadRemote, log_config, logged_ids, served_request
from small_disk import fill
from waiting import wait_until

from graft.monitoring.names import Serving
from graft.monitoring.request_log import read_rows, recorder
from graft.monitoring.request_log.open_shard import OpenShard, TimeBudget
from graft.monitoring.request_log.recorder import RequestRecorder
from graft.monitoring.request_log.shard import list_shards, write_shard
from graft.monitoring.request_log.units import KEY_FILE

KILLED = """
import sys, time
from pathlib import Path
sys.path.append("tests/samples")
from logged_requests import DeadRemote, log_config, served_request
from graft.monitoring.request_log.recorder import RequestRecorder
log = RequestRecorder(log_config(shard_s=3600), Path(sys.argv[1]))
for number in range(10):
    log.observe(served_request(number))
log.close()
log = RequestRecorder(log_config(shard_s=3600), Path(sys.argv[1]))
log.observe(served_request(10))
print("written", flush=True)
time.sleep(600)
"""


def num_accounted(log: RequestRecorder) -> int:
    return log.num_written + log.num_queue_full + log.num_write_failed


def test_every_request_is_a_row_when_the_server_has_ended(tmp_path: Path) -> None:
    log = RequestRecorder(log_config(shard_s=3600), tmp_path / "new")
    for number in range(300):
        log.observe(served_request(number))
    log.close()
    assert logged_ids(tmp_path / "new") == [
        f"request-{number}" for number in range(300)
    ]
    assert log.num_written == 300 and len(list_shards(tmp_path / "new")) == 1
    found = {(one.metric, *one.labels): one.value for one in log.readings()}
    assert found[Serving.LOG_ROWS,] == 300
    assert found[Serving.LOG_BYTES,] == log.num_bytes > 0
    assert found[Serving.LOG_DROPPED, "quota"] == 0


def test_rows_become_a_shard_while_requests_come_and_when_none_come(
    tmp_path: Path,
) -> None:
    log = RequestRecorder(log_config(), tmp_path)
    log.observe(served_request(1))
    wait_until(lambda: log.num_written == 1)
    log.observe(served_request(2))
    wait_until(lambda: log.num_written == 2)
    log.close()
    assert logged_ids(tmp_path) == ["request-1", "request-2"]


@settings(max_examples=15)
@given(fails=st.lists(st.booleans(), min_size=1, max_size=6))
def test_a_request_is_written_or_counted_as_dropped(
    fails: list[bool], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, pending = tmp_path_factory.mktemp("log"), iter(fails)

    def write(*args) -> None:
        if next(pending):
            raise OSError(errno.ENOSPC, "No space left on device")
        write_shard(*args)

    log = RequestRecorder(log_config(shard_s=1e-9), folder, write=write)
    for number in range(len(fails)):
        log.observe(served_request(number))
    log.close()
    assert num_accounted(log) == log.num_observed == len(fails)
    assert log.num_write_failed == sum(fails)
    assert len(logged_ids(folder)) == log.num_written


def test_a_full_disk_costs_rows_and_nothing_else(small_disk: Path) -> None:
    fill(small_disk, 4096)
    log = RequestRecorder(log_config(), small_disk / "log")
    log.observe(served_request(1))
    wait_until(lambda: log.num_write_failed == 1)
    (small_disk / "filler").unlink()
    log.observe(served_request(2))
    log.close()
    assert logged_ids(small_disk / "log") == ["request-2"]
    assert num_accounted(log) == log.num_observed == 2
    assert not list((small_disk / "log").glob(".requests*"))


def test_a_folder_that_cannot_be_made_costs_rows_and_nothing_else(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    log = RequestRecorder(log_config(), tmp_path / "file/log")
    log.observe(served_request(1))
    log.close()
    assert log.num_write_failed == 1


def test_a_disk_that_hangs_never_blocks_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MAX_QUEUED", 10)
    hangs, goes_on = threading.Event(), threading.Event()

    def write(*args) -> None:
        hangs.set()
        goes_on.wait()
        write_shard(*args)

    log = RequestRecorder(log_config(shard_s=1e-9), tmp_path, write=write)
    log.observe(served_request(0))
    hangs.wait()
    for number in range(1, 31):
        log.observe(served_request(number))
    assert log.num_queue_full == 20 and log.num_written == 0
    goes_on.set()
    log.close()
    assert num_accounted(log) == log.num_observed == 31
    assert len(logged_ids(tmp_path)) == log.num_written == 11


def test_long_texts_fill_the_queue_before_their_number_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MAX_QUEUED_CHARS", 1000)
    log = RequestRecorder(log_config(), tmp_path)
    log.observe(served_request(1, prompt="x" * 2000))
    log.observe(served_request(2))
    log.close()
    assert log.num_queue_full == 1 and logged_ids(tmp_path) == ["request-2"]


@pytest.mark.parametrize(("remote", "num_lost"), [(None, 0), (DeadRemote(), 4)])
def test_the_oldest_rows_are_removed_past_the_limit_and_lost_only_to_a_remote(
    tmp_path: Path, remote: DeadRemote | None, num_lost: int
) -> None:
    log = RequestRecorder(log_config(), tmp_path)
    log.observe(served_request(0))
    log.close()
    limit = round(2.5 * log.num_bytes)
    config = log_config(shard_s=1e-9, max_bytes=limit)
    log = RequestRecorder(config, tmp_path, remote=remote)
    for number in range(1, 6):
        log.observe(served_request(number))
    log.close()
    assert logged_ids(tmp_path) == ["request-4", "request-5"]
    assert log.num_quota == num_lost and log.num_bytes <= limit


def test_a_row_that_cannot_be_made_is_counted_and_costs_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = RequestRecorder(log_config(), tmp_path)
    log.observe(served_request(1, status="no number"))
    log.observe(served_request(2, finishes=None))
    log.close()
    assert num_accounted(log) == log.num_observed == 2
    assert "cannot be made" in caplog.text


def test_a_killed_server_loses_only_the_rows_of_the_open_shard(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    path = ":".join([*filter(None, sys.path), str(Path(__file__).parent)])
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={"PYTHONPATH": path}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.kill()
    assert len(logged_ids(tmp_path)) == 10


def test_texts_are_kept_only_if_configured_and_without_personal_data() -> None:
    request = served_request(prompt="Write to a@b.fr \ud800", completions=["To a@b.fr"])

    def redact(text: str) -> str:
        return text.replace("a@b.fr", "[EMAIL]")

    def row_of(shard: OpenShard) -> dict:
        shard.add(request)
        return shard.take()[1][0].to_pylist()[0]

    row = row_of(OpenShard(redact, str))
    assert (row["prompt"], row["completions"]) == (
        "Write to [EMAIL] ?",
        ["To [EMAIL]"],
    )
    row = row_of(OpenShard(None, str))
    assert row["prompt"] is None and row["completions"] is None
    assert row["prompt_chars"] == 17 and row["num_completion_chars"] == 9


def test_a_user_has_one_digest_in_a_folder_and_is_named_nowhere(tmp_path: Path) -> None:
    units = {}
    for name in ("one", "other"):
        for number, user in enumerate(("a@b.fr", "c@d.fr", "a@b.fr", None)):
            log = RequestRecorder(log_config(), tmp_path / name)
            log.observe(served_request(number, unit=user))
            log.close()
        units[name] = read_rows(tmp_path / name, columns=["unit"])["unit"].to_pylist()
        for path in (tmp_path / name).iterdir():
            assert b"a@b.fr" not in path.read_bytes()
        assert (tmp_path / name / KEY_FILE).stat().st_mode & 0o077 == 0
    first, second, again, without = units["one"]
    assert first == again != second and without is None
    assert not set(units["one"][:3]) & set(units["other"])


def test_features_take_no_more_than_their_share_of_the_time() -> None:
    now = 0.0
    budget = TimeBudget(0.01, burst_s=0.5, clock=lambda: now)
    assert budget.has_time()
    budget.spend(1.0)
    now = 49.0
    assert not budget.has_time()
    now = 51.0
    assert budget.has_time()


def test_observing_takes_microseconds(tmp_path: Path) -> None:
    log = RequestRecorder(log_config(shard_s=3600), tmp_path)
    requests = [served_request(number) for number in range(1000)]
    start = time.perf_counter()
    for request in requests:
        log.observe(request)
    mean_s = (time.perf_counter() - start) / len(requests)
    log.close()
    assert mean_s < 0.005
