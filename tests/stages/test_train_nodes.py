"""The train stage on two machines: launchers with folders of their own, over gloo."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml
from train_pipeline import finish, make_pipeline, metrics_of, start

from graft.io import digest_files

pytestmark = pytest.mark.slow
FEW = {"max_steps": 120, "micro_batch_size": 1, "global_batch_size": 4}
LOST_S = 120
"""Within which a machine ends that misses another one. It takes a second; the machine
that runs the tests may be busy."""
Machine = subprocess.Popen[str]


@pytest.fixture(name="origin", scope="module")
def _origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The inputs, and `out` of an unbroken training by two processes of a machine."""
    folder = tmp_path_factory.mktemp("origin")
    make_pipeline(folder, num_processes=2, **FEW)
    path = folder / "params.yaml"
    values = yaml.safe_load(path.read_text())
    values["model"]["path"] = "base"  # the same on all machines
    values["registry"]["tracking_uri"] = "sqlite:///mlflow.db"
    path.write_text(yaml.safe_dump(values))
    with start(folder, "out") as stage:
        finish(stage)
    return folder


def make_machines(origin: Path, folder: Path, processes: int = 1) -> list[Path]:
    """Two folders with the inputs alone, as on two machines."""
    machines = [folder / "first", folder / "second"]
    for machine in machines:
        shutil.copytree(
            origin, machine, ignore=shutil.ignore_patterns("out", "ml*", ".graft")
        )
        path = machine / "params.yaml"
        values = yaml.safe_load(path.read_text())
        values["train"]["num_processes"] = processes
        path.write_text(yaml.safe_dump(values))
    return machines


STAGE = [
    *("-m", "graft.stages.train", "--splits", "splits", "--checkpoints", "checkpoints"),
    *("--tokens", "reports/tokenize.json", "--out", "out/adapter"),
    *("--report", "out/train.json", "--curves", "out/curves"),
]


def run_all(machines: list[Path], torchrun: int = 0, **variables: str) -> list[Machine]:
    """Start the stage on all machines: by its own launcher, or by torchrun with that
    many processes on each."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    started = []
    for rank, folder in enumerate(machines):
        values = {
            "PET_NNODES": str(len(machines)),
            "PET_NODE_RANK": str(rank),
            "PET_MASTER_ADDR": "127.0.0.1",
            "PET_MASTER_PORT": port,
        }
        program = [sys.executable]
        if torchrun:
            program += ["-m", "torch.distributed.run", f"--nproc-per-node={torchrun}"]
        started.append(start_on(folder, program + STAGE, values | variables))
    return started


def start_on(folder: Path, program: list[str], variables: dict[str, str]) -> Machine:
    with (folder / "stderr").open("w") as stderr:
        return subprocess.Popen(
            program,
            cwd=folder,
            stderr=stderr,
            text=True,
            env=os.environ | variables | {"HF_HUB_OFFLINE": "1"},
        )


def said(machine: Path) -> str:
    return (machine / "stderr").read_text()


def wait_for(machine: Path, text: str) -> None:
    """Wait until the machine prints the text."""
    limit = time.monotonic() + 300
    while text not in said(machine):
        assert time.monotonic() < limit, said(machine)
        time.sleep(0.05)


def lose(machine: Machine) -> None:
    """End all processes of a machine without notice."""
    for process in processes_of(machine):
        process.kill()
    machine.wait()


def processes_of(machine: Machine) -> list[psutil.Process]:
    """The launcher and its processes, which have sessions of their own."""
    launcher = psutil.Process(machine.pid)
    return [launcher, *launcher.children(recursive=True)]


def finish_all(machines: list[Path], **variables: str) -> None:
    for machine in (started := run_all(machines, **variables)):
        machine.wait(500)
    assert [one.returncode for one in started] == [0, 0], list(map(said, machines))


def require_same(origin: Path, machine: Path) -> None:
    """The outputs are those of the unbroken training, byte for byte."""
    one, other = origin / "out", machine / "out"
    weights = ["adapter_model.safetensors"]
    assert digest_files(one / "adapter", weights) == digest_files(
        other / "adapter", weights
    )
    for name in ("train.json", "curves/train.csv", "curves/validation.csv"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    (journal,) = machine.rglob("journal.jsonl")
    logged = metrics_of(journal)
    assert len(logged) == len(set(logged)), "a metric was logged twice"
    assert journal.read_text().count('"kind": "start"') == 1  # one MLflow run


def test_two_machines_train_what_two_processes_of_one_machine_do(
    origin: Path, tmp_path: Path
) -> None:
    machines = make_machines(origin, tmp_path)
    for machine in (started := run_all(machines, torchrun=1)):
        machine.wait(500)
    assert [one.returncode for one in started] == [0, 0], list(map(said, machines))
    first, second = machines
    require_same(origin, first)
    # The second one has written nothing.
    for name in ("out", "checkpoints", "mlflow.db", ".graft"):
        assert (first / name).exists() or name == ".graft"
        assert not (second / name).exists()


def test_two_machines_of_two_processes_train_what_four_processes_of_one_do(
    origin: Path, tmp_path: Path
) -> None:
    (alone, *_), machines = (
        make_machines(origin, tmp_path / "alone", processes=4),
        make_machines(origin, tmp_path / "two", processes=2),
    )
    with start(alone, "out") as stage:
        finish(stage)
    finish_all(machines)
    require_same(alone, machines[0])


def test_a_lost_machine_ends_the_other_one_and_training_goes_on_from_a_checkpoint(
    origin: Path, tmp_path: Path
) -> None:
    machines = make_machines(origin, tmp_path)
    rng = random.Random(0)
    for number in range(3):
        lost = number % 2  # the second, in a step; the first, in a checkpoint's write
        started = run_all(machines)
        if lost == 0:
            wait_for(machines[0], "train: step")
            time.sleep(rng.random())
            lose(started[1])
        else:
            wait_for(machines[0], "train: step")
            while not list(machines[0].rglob("checkpoints/*/*/.step-*.partial")):
                assert started[0].poll() is None, said(machines[0])
                time.sleep(0.001)
            lose(started[0])
        other = started[lost]
        assert other.wait(LOST_S) == 75
        assert "another process has ended" in said(machines[lost])
        assert "Traceback" not in said(machines[lost])
    finish_all(machines)
    assert "step 9/120" not in said(machines[0]), "it began from the first step"
    require_same(origin, machines[0])


def test_sigterm_to_one_machine_ends_both_with_a_checkpoint_of_this_step(
    origin: Path, tmp_path: Path
) -> None:
    machines = make_machines(origin, tmp_path)
    started = run_all(machines)
    wait_for(machines[0], "train: step 9/")
    started[1].send_signal(signal.SIGTERM)
    assert [one.wait(LOST_S) for one in started] == [143, 143], list(
        map(said, machines)
    )
    assert "Traceback" not in said(machines[0])
    finish_all(machines)
    require_same(origin, machines[0])


def test_a_machine_that_stops_responding_counts_as_lost_after_the_timeout(
    origin: Path, tmp_path: Path
) -> None:
    machines = make_machines(origin, tmp_path)
    started = run_all(machines, GRAFT_COLLECTIVE_TIMEOUT_S="20")
    wait_for(machines[0], "train: step 9/")
    for process in processes_of(started[1]):
        process.suspend()
    try:
        assert started[0].wait(LOST_S) == 75
        assert "did not respond in time" in said(machines[0])
    finally:
        lose(started[1])


@pytest.mark.parametrize("what", ("data", "seed"))
def test_machines_with_different_inputs_are_refused_before_the_first_step(
    origin: Path, tmp_path: Path, what: str
) -> None:
    machines = make_machines(origin, tmp_path)
    if what == "data":
        (path,) = (machines[1] / "splits/validation").glob("*")
        (other,) = (machines[1] / "splits/test").glob("*")
        shutil.copy(other, path)
    else:
        path = machines[1] / "params.yaml"
        values = yaml.safe_load(path.read_text())
        values["train"]["seed"] += 1
        path.write_text(yaml.safe_dump(values))
    started = run_all(machines)
    assert [one.wait(500) for one in started] == [1, 1]
    wanted = "validation: " if what == "data" else "train.seed: 42 on process 0; 43 on"
    for machine in machines:
        assert wanted in said(machine) and "on process 1" in said(machine)
