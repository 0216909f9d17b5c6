"""The loop in several processes over gloo: lost ones, signals, different ones.

A small model of its own takes the place of a language model, and the processes are
forked, so that none of them imports anything. tests/stages/test_train_nodes.py runs the
whole stage.
"""

import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_model import Small, Unchecked
from small_training import Log, make_documents

from graft.cli.verbose import fail
from graft.config import TrainConfig
from graft.config.params import load_params
from graft.errors import GraftError
from graft.process import signals
from graft.training import loop as loop_module
from graft.training.agreement import require_equal
from graft.training.batches import MicroBatch
from graft.training.checkpoints import CheckpointStore
from graft.training.forward import PreparedModel
from graft.training.loop import Loop
from graft.training.parallel import TIMEOUT, DataParallelGroup, join

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
NUM_STEPS, EVERY = 20, 5
Faults = Mapping[int, tuple[str, int]]
"""Rank → what happens to it, and in which step."""


def make_loop(config: TrainConfig, folder: Path, group: DataParallelGroup) -> Loop:
    model = Small()
    names = frozenset(dict(model.named_parameters()))
    return Loop(
        PreparedModel(model, model.loss, torch.float32, names),
        make_documents(120),
        make_documents(12, seed=1),
        config,
        CheckpointStore(folder / "checkpoints", 2),
        Log(),  # type: ignore[arg-type]
        group,
    )


def break_at(loop: Loop, fault: str, step: int) -> None:
    """Let the fault happen to this process in a step, once."""
    forward, fsync = loop._forward, os.fsync  # pylint: disable=protected-access
    waiting = [fault]

    def is_now() -> bool:
        return loop.progress.step >= step and bool(waiting) and bool(waiting.pop())

    def begin(batch: MicroBatch) -> torch.Tensor:
        if is_now():
            os.kill(os.getpid(), signal.Signals[fault])
        return forward(batch)

    def write(file: int) -> None:
        if is_now():
            os.kill(os.getpid(), signal.SIGKILL)
        fsync(file)

    if fault == "SIGKILL in a checkpoint":
        os.fsync = write
    else:
        loop._forward = begin  # pylint: disable=protected-access


def train(folder: Path, config: TrainConfig, variables: Any, faults: Faults) -> None:
    """One process: as the stage does, without its data."""
    os.environ.update(variables)
    rank = int(variables["RANK"])
    loop_module.Verification = Unchecked  # type: ignore
    with (folder / f"stderr-{rank}").open("a", buffering=1) as sys.stderr:
        try:
            with (
                signals.handled(signals.raise_interrupted),
                join("cpu") as group,
            ):
                require_equal(group, {"seed": str(config.seed)})
                loop = make_loop(config, folder, group)
                loop.resume()
                if rank in faults:
                    break_at(loop, *faults[rank])
                loop.run()
                if group.is_first:
                    weights = {name: w.detach() for name, w in loop.weights.items()}
                    save_file(weights, folder / "result.safetensors")
        except GraftError as error:
            fail(error)
        except signals.Interrupted as error:
            sys.exit(signals.report(error.number, is_stage=True))


def start(
    folder: Path,
    size: int = 2,
    faults: Faults | None = None,
    timeout_s: float = 60,
    seeds: tuple[int, ...] = (42, 42),
) -> list[BaseProcess]:
    folder.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    values = load_params(ROOT / "params.yaml").train.model_dump() | {
        "micro_batch_size": 2,
        "global_batch_size": 4,
        "learning_rate": 0.05,
        "max_steps": NUM_STEPS,
        "evaluate_every": EVERY,
        "log_every": 2,
        "early_stopping_patience": None,
    }
    processes = []
    for rank in range(size):
        config = TrainConfig.model_validate(values | {"seed": seeds[rank]})
        variables = {
            "RANK": str(rank),
            "LOCAL_RANK": "0",
            "WORLD_SIZE": str(size),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
            TIMEOUT: str(timeout_s),
        }
        arguments = (folder, config, variables, faults or {})
        processes.append(
            multiprocessing.get_context("fork").Process(target=train, args=arguments)
        )
        processes[-1].start()
    return processes


def statuses(processes: list[BaseProcess]) -> list[int | None]:
    for process in processes:
        process.join(120)
    return [process.exitcode for process in processes]


@pytest.fixture(name="whole", scope="module")
def _whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unbroken training of two processes."""
    weight = torch.nn.Parameter(torch.ones(1))
    weight.grad = torch.ones(1)
    torch.optim.AdamW([weight]).step()  # imports what all the forks would import
    folder = tmp_path_factory.mktemp("whole")
    assert statuses(start(folder)) == [0, 0]
    return folder


def require_resumes(folder: Path, whole: Path) -> None:
    """A training goes on, to the bytes of the unbroken one."""
    assert statuses(start(folder)) == [0, 0]
    last = whole / f"checkpoints/step-{NUM_STEPS:06d}"
    for file in (*last.iterdir(), whole / "result.safetensors"):
        other = folder / file.relative_to(whole)
        assert other.read_bytes() == file.read_bytes(), file.name


def test_one_process_trains_what_two_do_up_to_rounding(
    whole: Path, tmp_path: Path
) -> None:
    assert statuses(start(tmp_path, size=1)) == [0]
    name = f"checkpoints/step-{NUM_STEPS:06d}/weights.safetensors"
    one, two = load_file(tmp_path / name), load_file(whole / name)
    assert all(torch.allclose(one[n], two[n], rtol=0, atol=1e-5) for n in two)


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({1: ("SIGKILL", 7)}, [75, -signal.SIGKILL]),
        ({0: ("SIGKILL", 13)}, [-signal.SIGKILL, 75]),
        ({0: ("SIGKILL in a checkpoint", 10)}, [-signal.SIGKILL, 75]),
    ],
    ids=["second", "first", "first in a checkpoint"],
)
def test_a_lost_process_ends_the_other_one_which_resumes(
    whole: Path, tmp_path: Path, faults: Faults, expected: list[int]
) -> None:
    assert statuses(start(tmp_path, faults=faults)) == expected
    said = (tmp_path / f"stderr-{expected.index(75)}").read_text()
    assert "another process has ended" in said and "fix: look for" in said
    require_resumes(tmp_path, whole)


def test_sigterm_to_one_process_ends_both_with_a_checkpoint_of_the_step(
    whole: Path, tmp_path: Path
) -> None:
    processes = start(tmp_path, faults={1: ("SIGTERM", 7)})
    assert statuses(processes) == [143, 143]
    assert (tmp_path / "checkpoints/step-000008/progress.json").exists()
    assert "training resumes" in (tmp_path / "stderr-0").read_text()
    require_resumes(tmp_path, whole)


def test_a_process_that_stops_counts_as_lost_after_the_timeout(tmp_path: Path) -> None:
    processes = start(tmp_path, faults={1: ("SIGSTOP", 7)}, timeout_s=5)
    try:
        assert statuses(processes[:1]) == [75]
    finally:
        processes[1].kill()
    said = (tmp_path / "stderr-0").read_text()
    assert "did not respond in time" in said and TIMEOUT in said


def test_processes_with_different_settings_are_refused(tmp_path: Path) -> None:
    assert statuses(start(tmp_path, seeds=(42, 43))) == [1, 1]
    for rank in range(2):
        said = (tmp_path / f"stderr-{rank}").read_text()
        assert "seed: 42 on process 0; 43 on process 1" in said
    assert not (tmp_path / "checkpoints").exists()
