"""Running requests to their end, in as many slots as fit the memory."""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from threading import Condition
from typing import Any
from weakref import WeakKeyDictionary

import torch

from graft.errors import HardwareError
from graft.hardware.machine import available_gib
from graft.inference.attention import obstacle
from graft.inference.decoding import CHECK_EVERY
from graft.inference.requests import GenerationRequest, OpenRow, TokensEvent
from graft.inference.runner import ModelRunner, inner_model, key_shape
from graft.inference.scheduler import Scheduler
from graft.planning.generation_memory import GenerationShape, Weights, plan_generation

ROUND_LENGTH = 64
"""Lengths of slots are multiples of it, so that runs of similar lengths share them."""
TOKENS_AT_ONCE = 8192
"""Prompt tokens that enter at once."""

CUDA_BYTES = 600 * 2**20
"""Workspaces of cuBLAS, and CUDA graphs. Measured on an H100 (docs/LOG.md)."""

_runners: WeakKeyDictionary[Any, ModelRunner] = WeakKeyDictionary()


def is_supported(model: Any) -> bool:
    """Whether slots serve this model; others need padded batches."""
    owner = inner_model(model)
    if obstacle(owner.config):
        return False
    on_cuda, size = owner.device.type == "cuda", key_shape(owner.config)[2]
    # Triton's blocks are powers of two, and torch's packed attention takes 16 bits.
    return not on_cuda or (size in (16, 32, 64, 128, 256) and owner.dtype.itemsize == 2)


class ContinuousBatch:
    """Rows of one model that come and go while others run.

    One thread runs the model, in `events`; any thread may call the other methods. If
    memory runs out, rows that have not ended go on in half the slots: their prompts and
    tokens so far are computed again.

    Args:
        model: one that `is_supported`. It must not be used otherwise until `events`
            has ended.
        num_slots: rows that run at once, at most; others wait.
        length: tokens that a slot holds: a prompt, and all that may follow it.
        weights: whether 4-bit weights are unpacked once; auto: if memory allows it.
    """

    def __init__(
        self, model: Any, num_slots: int, length: int, weights: Weights = "auto"
    ) -> None:
        self._model, self._num_slots, self._length = model, num_slots, length
        self._weights = weights
        self._changed = Condition()  # guards all below
        self._added: list[OpenRow] = []
        self._cancelled: set[Hashable] = set()
        self._open: set[Hashable] = set()
        self._closed = False

    def add(self, request: GenerationRequest) -> None:
        """Let a row enter as soon as a slot is free; first come, first served.

        Raises: ValueError for a request that no slot holds, a key that is in use, or
            after `close`.
        """
        row = OpenRow(request)
        row.check(self._length)
        with self._changed:
            if self._closed or request.key in self._open:
                raise ValueError(f"closed, or {request.key!r} has not ended")
            self._open.add(request.key)
            self._added.append(row)
            self._changed.notify()

    def cancel(self, key: Hashable) -> None:
        """End a row before the next step; a key of no open row is ignored."""
        with self._changed:
            if key in self._open:
                self._cancelled.add(key)

    def close(self) -> None:
        """Take no more requests; `events` ends with the rows that are open."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def events(self) -> Iterator[TokensEvent]:
        """Run the model until it is closed and all rows have ended.

        Yields: for each row, the tokens and text since its last event. Its last event,
            and no other, has a finish.
        Raises: HardwareError if memory runs out with a single slot.
        """
        slots, rows = self._num_slots, list[OpenRow]()
        while True:
            try:
                with open_scheduler(
                    self._model, slots, self._length, self._weights
                ) as scheduler:
                    slots = scheduler.num_slots
                    scheduler.add(*rows)
                    try:
                        yield from self._steps(scheduler)
                    finally:
                        rows = scheduler.open_rows
                        del scheduler
                return
            except torch.OutOfMemoryError as error:
                if slots == 1:
                    raise HardwareError(
                        str(inner_model(self._model).device),
                        "out of memory with a single prompt at once",
                        fix="lower generation.max_new_tokens, or shorten the prompts",
                    ) from error
            # Not in the handler, whose traceback holds tensors.
            slots //= 2
            release(self._model)

    def _steps(self, scheduler: Scheduler) -> Iterator[TokensEvent]:
        while True:
            with self._changed:
                while not (scheduler.open_rows or self._added or self._closed):
                    self._changed.wait()
                added, self._added = self._added, []
                cancelled, self._cancelled = self._cancelled, set()
            scheduler.add(*added)
            ended = scheduler.cancel(cancelled) if cancelled else scheduler.step()
            if not (ended or scheduler.open_rows):
                return
            for event in ended:
                if event.finish:
                    with self._changed:
                        self._open.remove(event.key)
                        self._cancelled.discard(event.key)
                yield event


def run_requests(
    model: Any,
    requests: Sequence[GenerationRequest],
    num_slots: int,
    weights: Weights = "auto",
) -> Iterator[TokensEvent]:
    """Complete all requests; the longest prompts enter first.

    Args:
        model: one that `is_supported`.
        requests: with unique keys.
        num_slots: rows at once, at most.
        weights: whether 4-bit weights are unpacked once; auto: if memory allows it.
    Yields and raises: as `ContinuousBatch.events`.
    """
    if not requests:
        return
    length = max(len(r.prompt) + r.max_new_tokens for r in requests)
    batch = ContinuousBatch(model, min(num_slots, len(requests)), length, weights)
    for request in sorted(requests, key=lambda request: -len(request.prompt)):
        batch.add(request)
    batch.close()
    yield from batch.events()


@contextmanager
def open_scheduler(
    model: Any, num_slots: int, length: int, weights: Weights = "auto"
) -> Iterator[Scheduler]:
    """A scheduler of a model, which must not be used otherwise inside.

    Args:
        model: one that `is_supported`.
        num_slots: rows at once, at most; fewer if memory is short.
        length: most tokens of a row, the prompt included.
        weights: whether 4-bit weights are unpacked once; auto: if memory allows it.
    """
    runner = runner_of(model, num_slots, length, weights)
    num_slots = min(num_slots, runner.num_slots)
    scheduler = Scheduler(
        runner,
        num_slots,
        steps_per_read=CHECK_EVERY if runner.device.type == "cuda" else 1,
        chunk_tokens=TOKENS_AT_ONCE,
        min_free=max(1, num_slots // 8),
    )
    with runner.session(model):
        yield scheduler


def runner_of(
    model: Any, slots: int, length: int, weights: Weights = "auto"
) -> ModelRunner:
    """The model's runner, made anew if it has too few or too short slots, or the other
    weights. A base and the same base with an adapter share one.

    Args:
        slots: rows at once, at most; fewer if memory is short.
        length: tokens that a slot holds.
        weights: whether 4-bit weights are unpacked once; auto: if memory allows it.
    """
    owner = inner_model(model)
    runner = _runners.get(owner)
    if runner is not None:
        suits = weights == "auto" or runner.is_dense == (weights == "dense")
        if suits and runner.num_slots >= slots and runner.length >= length:
            return runner
        slots, length = max(slots, runner.num_slots), max(length, runner.length)
        release(model)
        del runner
    length = -(-length // ROUND_LENGTH) * ROUND_LENGTH
    plan = plan_generation(
        shape_of(owner),
        free=free_bytes(owner.device),
        num_slots=slots,
        length=length,
        tokens_at_once=TOKENS_AT_ONCE,
        weights=weights,
    )
    made = ModelRunner(owner, plan.num_slots, length, dense=plan.is_dense)
    _runners[owner] = made
    return made


def release(model: Any) -> None:
    """Free the memory of a model's slots and unpacked weights."""
    _runners.pop(inner_model(model), None)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def free_bytes(device: Any) -> int:
    """Free memory of the device, what torch has reserved and does not use included."""
    if device.type != "cuda":
        return int(available_gib() * 2**30)
    free, _ = torch.cuda.mem_get_info(device)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free) + int(unused)


def dense_bytes(owner: Any) -> int:
    """Memory of the model's 4-bit weights once unpacked."""
    packed = [w for w in owner.parameters() if hasattr(w, "quant_state")]
    return sum(
        int(torch.Size(w.quant_state.shape).numel()) * owner.dtype.itemsize
        for w in packed
    )


def shape_of(owner: Any) -> GenerationShape:
    """The sizes that memory depends on."""
    layers, heads, size = key_shape(owner.config)
    config, width = owner.config, owner.dtype.itemsize
    inner = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    return GenerationShape(
        dense=dense_bytes(owner),
        slot_token=2 * layers * heads * size * width,
        # A normed copy, the residual, and gates, ups and their product.
        token=(2 * config.hidden_size + 3 * inner) * width,
        logits=config.vocab_size * (width + 4),
        fixed=CUDA_BYTES if owner.device.type == "cuda" else 0,
    )
