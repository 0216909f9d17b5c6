"""Several processes that train one model together, each on its share of a step.

A step's micro-batches are sharded out, and gradients are added up, so that a step is the
same for any number of processes. All hold the same weights from the same seed; the
first one writes checkpoints, metrics and the adapter.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from graft.errors import HardwareError

Item = TypeVar("Item")
_MESSAGE_BYTES = 2**28
_ALLOCATOR = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")


@dataclass(frozen=True)
class _TensorSpec:
    """Where a tensor stands in an outline."""

    shape: torch.Size
    dtype: torch.dtype


@dataclass(frozen=True)
class DataParallelGroup:
    """The processes: how many, and which of them this one is."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def is_first(self) -> bool:
        """Whether this one writes and tells."""
        return self.rank == 0

    def shard(self, items: Sequence[Item]) -> list[tuple[Item, int]]:
        """This process's of some items, each with 1. All make as many passes, since
        they wait for each other: who has one less takes the first item again, with 0.
        """
        rounds = -(-len(items) // self.size)
        own = [(item, 1) for item in items[self.rank :: self.size]]
        return own + [(items[0], 0)] * (rounds - len(own))

    def all_reduce_sum(self, values: Sequence[float]) -> list[float]:
        """Numbers added up over the processes."""
        if self.size == 1:
            return list(values)
        numbers = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(numbers)
        found: list[float] = numbers.tolist()
        return found

    def all_reduce_min(self, value: float) -> float:
        """The smallest of the processes' numbers."""
        if self.size == 1:
            return value
        number = torch.tensor(value, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(number, torch.distributed.ReduceOp.MIN)
        return float(number.item())

    def all_reduce_gradients(self, weights: Iterable[Tensor]) -> None:
        """Add gradients up over the processes, many in one message."""
        if self.size == 1:
            return
        grads = [weight.grad for weight in weights if weight.grad is not None]
        for some in _in_messages(grads):
            flat = torch.cat([grad.flatten() for grad in some])
            torch.distributed.all_reduce(flat)
            for grad, part in zip(some, flat.split([grad.numel() for grad in some])):
                grad.copy_(part.view_as(grad))

    def all_gather(self, whole: Tensor, part: Tensor) -> None:
        """Fill `whole` with the parts of all processes, one after the other."""
        torch.distributed.all_gather_into_tensor(whole, part)

    def broadcast(self, value: Item) -> Item:
        """What the first process has: values, and dicts and lists of tensors, one at a
        time, as together they may be more than a device holds."""
        if self.size == 1:
            return value
        tensors: list[Tensor] = []
        outlines = [_outline(value, tensors)]
        torch.distributed.broadcast_object_list(outlines, 0, device=self.device)
        own = iter(tensors)

        def give(place: _TensorSpec) -> Tensor:
            here = torch.empty(place.shape, dtype=place.dtype, device=self.device)
            if self.is_first:
                here.copy_(next(own))
            torch.distributed.broadcast(here, 0)
            return here

        found: Item = _fill(outlines[0], give)
        return found


def _outline(value: Any, tensors: list[Tensor]) -> Any:
    """A tree with places for its tensors, which are put into a list in their order."""
    if isinstance(value, Tensor):
        tensors.append(value)
        return _TensorSpec(value.shape, value.dtype)
    if isinstance(value, dict):
        return {key: _outline(one, tensors) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_outline(one, tensors) for one in value)
    return value


def _fill(outline: Any, give: Callable[[_TensorSpec], Tensor]) -> Any:
    if isinstance(outline, _TensorSpec):
        return give(outline)
    if isinstance(outline, dict):
        return {key: _fill(one, give) for key, one in outline.items()}
    if isinstance(outline, list | tuple):
        return type(outline)(_fill(one, give) for one in outline)
    return outline


def _in_messages(grads: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Runs of gradients of a message's size, or of one that is larger."""
    waiting: list[Tensor] = []
    for grad in grads:
        if waiting and sum(one.nbytes for one in [*waiting, grad]) > _MESSAGE_BYTES:
            yield waiting
            waiting = []
        waiting.append(grad)
    if waiting:
        yield waiting


@contextmanager
def join(device: str) -> Iterator[DataParallelGroup]:
    """The group that `torchrun` or `launch` made, or one of this process alone.

    Args:
        device: `cpu` or `cuda`; of several GPUs each process takes its own.
    """
    if device == "cuda":
        _let_segments_grow()
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield DataParallelGroup(device=device)
        return
    local = int(os.environ["LOCAL_RANK"])
    if device == "cuda":
        torch.cuda.set_device(local)
        device = f"cuda:{local}"
    kind = "gloo" if device == "cpu" else "nccl"
    ours = None if device == "cpu" else torch.device(device)
    torch.distributed.init_process_group(kind, device_id=ours)
    try:
        yield DataParallelGroup(torch.distributed.get_rank(), size, device)
    finally:
        torch.distributed.destroy_process_group()


def _let_segments_grow() -> None:
    """Micro-batches differ in length: else a third of the memory is torn to bits (30.4
    GiB held for 18.8 in use). What the user has set is left as it is."""
    if not any(os.environ.get(name) for name in _ALLOCATOR):
        # The public way is the environment, before torch is imported.
        # pylint: disable-next=protected-access
        torch._C._accelerator_setAllocatorSettings("expandable_segments:True")


def launch(num_processes: int, device: str) -> bool:
    """Run this very command once for each process, if that is still to be done.

    Returns: whether it was done, so that there is nothing left to do.
    Raises: HardwareError if there are fewer GPUs; SystemExit if a process failed, or
        was interrupted: it has told why.
    """
    if num_processes == 1 or "WORLD_SIZE" in os.environ:
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
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=num_processes,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        max_restarts=0,
    )
    try:
        elastic_launch(config, sys.executable)(*sys.orig_argv[1:])
    except ChildFailedError as error:
        sys.exit(next(iter(error.failures.values())).exitcode)
    except SignalException as error:  # it was passed on, and the first process told
        sys.exit(128 + error.sigval)
    return True
