"""Compare one GPU, two GPUs of one machine, and two "machines" of one GPU each.

    python benchmarks/multi_node.py --shape mistral-7b-v0.3 --steps 12
    python benchmarks/multi_node.py --shape llama-3.2-1b --quantization none --kill

Needs two CUDA GPUs of one host. Each "machine" is a launcher of its own with one
visible GPU, which meets the other one through torchrun's variables, as on two hosts;
`sockets` forbids NVLink and shared memory, so that gradients take TCP over loopback.
All layouts train on the same batches, of two micro-batches a step. Prints tokens/s and
the largest difference of a loss to that of one GPU. --kill: ends one of two machines in
a step, and prints after how long and how the other one ends.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from random_base import SHAPES, make_random_base
from training_speed import (
    WORKS,
    Log,
    make_adapter,
    make_documents,
    make_quantization,
    make_train,
)

from graft.cli.verbose import fail
from graft.errors import GraftError
from graft.training.checkpoints import CheckpointStore
from graft.training.forward import prepare
from graft.training.launching import launch
from graft.training.loop import Loop
from graft.training.parallel import TIMEOUT, DataParallelGroup, join

SOCKETS = {"NCCL_P2P_DISABLE": "1", "NCCL_SHM_DISABLE": "1"}
LAYOUTS: dict[str, tuple[int, int, Mapping[str, str]]] = {
    "one GPU": (1, 1, {}),
    "one machine, two GPUs": (1, 2, {}),
    "two machines": (2, 1, {}),
    "two machines, sockets": (2, 1, SOCKETS),
}
"""Name → machines, processes on each, and variables."""
Machines = list["subprocess.Popen[bytes]"]


class Dying(Log):
    """Ends the process without any notice at a step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    def log_metrics(
        self, metrics: Mapping[str, float], step: int | None = None
    ) -> None:
        """Record, or end."""
        if step == self._step:
            os.kill(os.getpid(), signal.SIGKILL)
        super().log_metrics(metrics, step)


@dataclass(frozen=True)
class Measured:
    """Median tokens per second of the steps after the third, and all losses."""

    tokens_per_s: float
    losses: list[float]


def main() -> None:
    """Measure all layouts, or be a process of one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", default="mistral-7b-v0.3", choices=SHAPES)
    parser.add_argument("--work", default="short", choices=WORKS)
    parser.add_argument("--quantization", default="nf4", choices=["nf4", "none"])
    parser.add_argument("--kernels", default="fused", choices=["fused", "plain"])
    parser.add_argument("--at-once", type=int, default=8, help="sequences")
    parser.add_argument("--length", type=int, default=2048, help="tokens of each")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--shard", action="store_true", help="shard the base")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--kill", action="store_true", help="one machine")
    parser.add_argument("--processes", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.processes:
        be_machine(args)
    elif args.kill:
        kill_one()
    else:
        compare()


def compare() -> None:
    """Print a line for each layout."""
    print("| layout | tokens/s | of one GPU | largest difference of a loss |")
    print("|---|---|---|---|", flush=True)
    first = None
    for name in LAYOUTS:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out.json"
            machines = start(name, out)
            if any(codes := [machine.wait() for machine in machines]):
                print(f"| {name} | ended with {codes} | | |", flush=True)
                continue
            found = Measured(**json.loads(out.read_text("utf-8")))
        first = first or found
        pairs = zip(first.losses, found.losses, strict=True)
        differs = max(abs(one - other) for one, other in pairs)
        ratio = found.tokens_per_s / first.tokens_per_s
        print(
            f"| {name} | {found.tokens_per_s:,.0f} | {ratio:.2f} | {differs:.2e} |",
            flush=True,
        )
    if first:
        print(f"losses of the first: {first.losses}")


def kill_one() -> None:
    """Print how the machine ends that misses another one."""
    for name in list(LAYOUTS)[2:]:
        with tempfile.TemporaryDirectory() as folder:
            machines = start(name, Path(folder) / "out.json", {TIMEOUT: "60"})
            second = machines[1].wait()
            began = time.monotonic()
            try:
                first = machines[0].wait(300)
            except subprocess.TimeoutExpired:
                machines[0].kill()
                first = machines[0].wait()
            seconds = time.monotonic() - began
        print(
            f"{name}: the machine that was killed ended with {second}, the other one "
            f"{seconds:.1f} s later with {first}",
            flush=True,
        )


def start(name: str, out: Path, more: Mapping[str, str] | None = None) -> Machines:
    """The launchers of a layout."""
    machines, processes, variables = LAYOUTS[name]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [*sys.argv, "--processes", str(processes), "--out", str(out)]
    started = []
    for number in range(machines):
        gpus = range(number, number + processes)
        own = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, gpus))}
        if machines > 1:
            own |= {
                "PET_NNODES": str(machines),
                "PET_NODE_RANK": str(number),
                "PET_MASTER_ADDR": "127.0.0.1",
                "PET_MASTER_PORT": str(port),
            }
        environment = os.environ | own | dict(variables) | dict(more or {})
        command = [sys.executable, *words]
        # pylint: disable-next=consider-using-with
        started.append(subprocess.Popen(command, env=environment))
    return started


def be_machine(args: argparse.Namespace) -> None:
    """Launch the processes of a machine, or be one of them."""
    try:
        if launch(args.processes, args.device):
            return
        with join(args.device) as group:
            found = measure(args, group)
        if group.is_first:
            args.out.write_text(json.dumps(vars(found)), encoding="utf-8")
    except GraftError as error:
        fail(error)


def measure(args: argparse.Namespace, group: DataParallelGroup) -> Measured:
    """One training, of the same batches for any number of processes."""
    quantization = make_quantization(method=args.quantization)
    train = make_train(args.at_once, args.steps, args.kernels, False).model_copy(
        update={
            "device": args.device,
            "global_batch_size": 2 * args.at_once,
            "shard_base": args.shard and group.size > 1,
        }
    )
    base = make_random_base(SHAPES[args.shape], quantization, group.device)
    # With dropout, each process would draw its own masks.
    adapter = make_adapter(dropout=0.0)
    prepared = prepare(base, adapter, train, torch.bfloat16, group)
    tokens, vocabulary = train.global_batch_size * args.length, base.config.vocab_size
    seen, held_out = (
        make_documents(args.work, number * tokens, vocabulary, seed, args.length, 0.5)
        for seed, number in enumerate((args.steps + 2, 1))
    )
    log: Log = Dying(4) if args.kill and group.rank == 1 else Log()
    with tempfile.TemporaryDirectory() as folder:
        store = CheckpointStore(Path(folder), 1)
        Loop(prepared, seen, held_out, train, store, log, group).run()
    lines = [values for values in log.seen if "train/loss" in values]
    return Measured(
        statistics.median(values["train/tokens_per_s"] for values in lines[3:]),
        [values["train/loss"] for values in lines],
    )


if __name__ == "__main__":
    main()
