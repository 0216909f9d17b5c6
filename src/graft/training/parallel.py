"""Data-parallel training in several processes.

The micro-batches of a step are divided among the processes and gradients are summed, so
a step is the same for any number of processes. All have the same weights from the same
seed; the first one writes checkpoints, metrics and the adapter.
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
    """A tensor's shape and dtype, in its place in a nested value."""

    shape: torch.Size
    dtype: torch.dtype


@dataclass(frozen=True)
class DataParallelGroup:
    """The processes that train together, seen from one of them."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and logs."""
        return self.rank == 0

    def shard(self, items: Sequence[Item]) -> list[tuple[Item, int]]:
        """This process's items, each with the weight 1. Collective operations require
        equally many passes, so a process with one item less repeats the first item of
        all, with the weight 0."""
        rounds = -(-len(items) // self.size)
        own = [(item, 1) for item in items[self.rank :: self.size]]
        return own + [(items[0], 0)] * (rounds - len(own))

    def all_reduce_sum(self, values: Sequence[float]) -> list[float]:
        """Sums over the processes."""
        if self.size == 1:
            return list(values)
        numbers = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(numbers)
        found: list[float] = numbers.tolist()
        return found

    def all_reduce_min(self, value: float) -> float:
        """The minimum over the processes."""
        if self.size == 1:
            return value
        number = torch.tensor(value, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(number, torch.distributed.ReduceOp.MIN)
        return float(number.item())

    def all_reduce_gradients(self, weights: Iterable[Tensor]) -> None:
        """Sum gradients over the processes, many in one message."""
        if self.size == 1:
            return
        grads = [weight.grad for weight in weights if weight.grad is not None]
        for some in _in_messages(grads):
            flat = torch.cat([grad.flatten() for grad in some])
            torch.distributed.all_reduce(flat)
            for grad, part in zip(some, flat.split([grad.numel() for grad in some])):
                grad.copy_(part.view_as(grad))

    def all_gather(self, whole: Tensor, part: Tensor) -> None:
        """Concatenate the parts of all processes into `whole`."""
        torch.distributed.all_gather_into_tensor(whole, part)

    def broadcast(self, value: Item) -> Item:
        """The first process's value: nested dicts and lists of tensors and other
        values. Tensors are sent one at a time to limit memory."""
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
    """The value with a `_TensorSpec` per tensor; appends the tensors to the list."""
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
    """Consecutive gradients of at most a message's size, or a single larger one."""
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
    """The process group of `torchrun` or `launch`, or a group of this process alone.

    Args:
        device: `cpu` or `cuda`; with several processes each has its own GPU.
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
    """Use expandable segments, unless the user has configured the allocator. Otherwise
    micro-batches of varying length fragment a third of the memory (30.4 GiB reserved
    for 18.8 GiB in use)."""
    if not any(os.environ.get(name) for name in _ALLOCATOR):
        # The public way is the environment, before torch is imported.
        # pylint: disable-next=protected-access
        torch._C._accelerator_setAllocatorSettings("expandable_segments:True")


def launch(num_processes: int, device: str) -> bool:
    """Run the current command in `num_processes` processes, unless this is one of them.

    Returns: whether they ran, so that nothing is left to do.
    Raises: HardwareError if there are fewer GPUs; SystemExit if a process failed or was
        interrupted; it has printed the reason.
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
    except SignalException as error:  # passed on; the first process printed a message
        sys.exit(128 + error.sigval)
    return True
