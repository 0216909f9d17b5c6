"""Data-parallel training in several processes.

The micro-batches of a step are divided among the processes and gradients are summed, so
a step is the same for any number of processes. All have the same weights from the same
seed; the first one writes checkpoints, metrics and the adapter.
"""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor

from graft.errors import ConfigError, LostProcessError
from graft.training.nested import from_outline, to_outline

Item = TypeVar("Item")
TIMEOUT = "GRAFT_COLLECTIVE_TIMEOUT_S"
DEFAULT_TIMEOUT_S = 600
"""The first process may write a checkpoint or fetch one, while the others wait."""
_MESSAGE_BYTES = 2**28
_ALLOCATOR = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF")


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
        with self._collective():
            torch.distributed.all_reduce(numbers)
            found: list[float] = numbers.tolist()
        return found

    def all_reduce_min(self, value: float) -> float:
        """The minimum over the processes."""
        if self.size == 1:
            return value
        number = torch.tensor(value, dtype=torch.float64, device=self.device)
        with self._collective():
            torch.distributed.all_reduce(number, torch.distributed.ReduceOp.MIN)
            return float(number.item())

    def all_reduce_gradients(self, weights: Iterable[Tensor]) -> None:
        """Sum gradients over the processes, many in one message."""
        if self.size == 1:
            return
        grads = [weight.grad for weight in weights if weight.grad is not None]
        for some in _in_messages(grads):
            flat = torch.cat([grad.flatten() for grad in some])
            with self._collective():
                torch.distributed.all_reduce(flat)
            for grad, part in zip(some, flat.split([grad.numel() for grad in some])):
                grad.copy_(part.view_as(grad))

    def all_gather(self, whole: Tensor, part: Tensor) -> None:
        """Concatenate the parts of all processes into `whole`."""
        with self._collective():
            torch.distributed.all_gather_into_tensor(whole, part)

    def gather(self, value: Item) -> list[Item]:
        """The values of all processes, in their order."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        with self._collective():
            torch.distributed.all_gather_object(found, value)
        return found

    def broadcast(self, value: Item) -> Item:
        """The first process's value: nested dicts and lists of tensors and other
        values. Tensors are sent one at a time to limit memory."""
        if self.size == 1:
            return value
        outline, tensors = to_outline(value)
        sent = [(outline, [(one.shape, one.dtype) for one in tensors])]
        with self._collective():
            torch.distributed.broadcast_object_list(sent, 0, device=self.device)
            ((outline, specs),) = sent
            here = []
            for number, (shape, dtype) in enumerate(specs):
                one = torch.empty(shape, dtype=dtype, device=self.device)
                if self.is_first:
                    one.copy_(tensors[number])
                torch.distributed.broadcast(one, 0)
                here.append(one)
        found: Item = from_outline(outline, here.__getitem__)
        return found

    @contextmanager
    def _collective(self) -> Iterator[None]:
        """Raises: LostProcessError if another process has ended or does not respond."""
        try:
            yield
        except (torch.OutOfMemoryError, torch.AcceleratorError):
            raise  # of this process
        except RuntimeError as error:  # gloo has no class of its own
            raise LostProcessError(
                f"process {self.rank} of {self.size}",
                "another process has ended, or did not respond in time: "
                + str(error).partition("\n")[0].partition(" This is typically")[0],
                expected="all processes until the end",
                fix="look for the first error of the other processes and machines, "
                "then start all of them again: training resumes from its last "
                f"checkpoint. {TIMEOUT} is the time to wait, in seconds",
            ) from error


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
    Raises: LostProcessError if not all processes come; ConfigError.
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
    group = DataParallelGroup(int(os.environ["RANK"]), size, device)
    timeout = timedelta(seconds=read_timeout_s(os.environ))
    # pylint: disable-next=protected-access
    with group._collective():
        torch.distributed.init_process_group(kind, device_id=ours, timeout=timeout)
    try:
        yield group
    except BaseException:
        # NCCL may wait for processes that do not come. Gloo does not, and its threads
        # would abort the end of the interpreter, whose status would be lost.
        if kind == "gloo":
            torch.distributed.destroy_process_group()
        raise
    torch.distributed.destroy_process_group()


def read_timeout_s(environment: Mapping[str, str]) -> float:
    """Seconds until a process that does not respond counts as lost.

    Raises: ConfigError.
    """
    text = environment.get(TIMEOUT) or str(DEFAULT_TIMEOUT_S)
    try:
        if 0 < (seconds := float(text)) < math.inf:
            return seconds
    except ValueError:
        pass
    raise ConfigError(
        TIMEOUT,
        f"is {text!r}",
        expected="a number of seconds above 0",
        fix=f"set it to the longest pause of a process, or remove it: then it is "
        f"{DEFAULT_TIMEOUT_S}",
    )


def _let_segments_grow() -> None:
    """Use expandable segments, unless the user has configured the allocator. Otherwise
    micro-batches of varying length fragment a third of the memory (30.4 GiB reserved
    for 18.8 GiB in use)."""
    if not any(os.environ.get(name) for name in _ALLOCATOR):
        # The public way is the environment, before torch is imported.
        # pylint: disable-next=protected-access
        torch._C._accelerator_setAllocatorSettings("expandable_segments:True")
