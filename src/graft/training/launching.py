"""Starts the processes of a training on this machine, which may be one of several."""

import os
import sys
from typing import Any

import torch

from graft.errors import HardwareError, LostProcessError

NODES = "PET_NNODES"
"""torchrun's own variable for its option --nnodes; PET_NODE_RANK, PET_MASTER_ADDR and
so on are those of its other options."""
_PER_NODE = "PET_NPROC_PER_NODE"
_SHUTDOWN = {"TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "100"}
"""Seconds that processes have to write a checkpoint after a signal."""


def launch(num_processes: int, device: str) -> bool:
    """Run the current command in `num_processes` processes, unless this is one of them.

    On one of several machines, which the variables of torchrun describe, they join
    those of the other machines.

    Returns: whether they ran, so that nothing is left to do.
    Raises: HardwareError if there are fewer GPUs; LostProcessError if the other
        machines do not come; SystemExit if a process failed or was interrupted; it has
        printed the reason.
    """
    is_alone = os.environ.get(NODES, "1") == "1"
    if "WORLD_SIZE" in os.environ or (num_processes == 1 and is_alone):
        return False
    there = torch.cuda.device_count()
    if device == "cuda" and there < num_processes:
        raise HardwareError(
            f"train.num_processes={num_processes}",
            f"torch sees {there} GPU" + "s" * (there != 1),
            expected="a GPU for each process",
            fix=f"set train.num_processes={max(there, 1)}",
        )
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import elastic_launch

    os.environ.update(_SHUTDOWN | os.environ)
    config = _one_of_several(num_processes) if not is_alone else _alone(num_processes)
    try:
        elastic_launch(config, sys.executable)(*sys.orig_argv[1:])
    except ChildFailedError as error:
        codes = [failure.exitcode for failure in error.failures.values()]
        sys.exit(exit_status(codes))
    except SignalException as error:  # passed on; the first process printed a message
        sys.exit(128 + error.sigval)
    except RuntimeError as error:  # torch.distributed has several
        raise LostProcessError(
            f"{NODES}={os.environ.get(NODES, '1')}",
            "not all machines have come, or one has ended: "
            + str(error).partition("\n")[0],
            expected="as many machines as that, with different PET_NODE_RANK, that "
            "reach PET_MASTER_ADDR and PET_MASTER_PORT",
            fix="look at the other machines, and start all of them again",
        ) from error
    return True


def exit_status(codes: list[int]) -> int:
    """The status for those of the processes that failed: that of the cause, not of
    processes that miss another one. Negative ones are signals."""
    lost = LostProcessError.exit_status
    first = next((code for code in codes if code != lost), lost)
    return first if first > 0 else 128 - first


def _alone(num_processes: int) -> Any:
    from torch.distributed.launcher.api import LaunchConfig

    return LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=num_processes,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        max_restarts=0,
    )


def _one_of_several(num_processes: int) -> Any:
    """As torchrun reads its variables; the scheduler starts failed machines again."""
    from torch.distributed.run import config_from_args, parse_args

    words = ["--max-restarts=0", "unused"]
    if not os.environ.get(_PER_NODE):
        words.insert(0, f"--nproc-per-node={num_processes}")
    config, _, _ = config_from_args(parse_args(words))
    return config
