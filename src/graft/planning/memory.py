"""Peak GPU memory of training.

Computed from stored weights and from the activations that layers keep, in bytes per
token. Tests compare the latter with what layers actually keep; docs/LOG.md compares the
sums with measured peaks.
"""

import math
from dataclasses import dataclass

from graft.planning.setup import BatchShape, Setup
from graft.planning.shapes import GROUPS, Shape

GIB = 2**30
_LOGITS = 2**28  # bytes of logits that graft.training.fused.loss computes at a time
_WIDTH = 2  # bytes of activations: 16 bits
_OPTIMIZER = {"adamw_torch_fused": 8.0, "adamw_8bit": 2.1, "paged_adamw_8bit": 0.0}
"""Bytes of optimizer state per trained weight. Paged states can move to the host."""


@dataclass(frozen=True)
class Memory:
    """Bytes at the peak, by what holds them.

    Attributes:
        base: frozen weights.
        adapter: trained weights with gradients, optimizer and 16-bit copies.
        kept: activations kept for the backward pass.
        working: everything else that is allocated at the peak.
    """

    base: float
    adapter: float
    kept: float
    working: float

    @property
    def peak(self) -> float:
        """The sum of all parts."""
        return self.base + self.adapter + self.kept + self.working


def peak_memory(setup: Setup, batch: BatchShape) -> Memory:
    """Peak memory of one GPU."""
    if setup.lora is None:
        return _peak_of_full(setup, batch)
    shape, keep = setup.shape, setup.train.gradient_checkpointing
    whole = _kept_fused(setup) if setup.fused else _kept_plain(setup)
    wide = 2 * _WIDTH * shape.intermediate  # gates and ups
    of_layer = {False: whole, "selective": whole - wide}.get(
        keep, _WIDTH * shape.hidden
    )
    layers = setup.trained_layers  # frozen layers before them keep nothing
    kept = float(layers * of_layer)
    if keep == "offload":
        kept = min(2, layers) * of_layer  # of the current layer and the next one
    elif keep == "swap":
        kept = _offloaded_features(setup) + layers * 4 * (1 + shape.heads)
    head = _head_fused(shape, batch) if setup.fused else _head_plain(shape, batch)
    # Gradients of a layer's output and of its widest inner activations, or its norms.
    each = float(max(2 * (shape.hidden + shape.intermediate), 8 * shape.hidden))
    if not setup.fused:
        each += 4 * shape.intermediate
    if keep:
        each += wide if keep == "selective" else whole
    backward = batch.tokens * each
    return Memory(
        base=base_bytes(setup, setup.shards),
        adapter=_adapter_bytes(setup),
        kept=batch.tokens * kept,
        working=max(head, backward) + _workspace(setup),
    )


def base_bytes(setup: Setup, shards: int = 1) -> float:
    """Bytes of frozen weights.

    4-bit weights have a float32 scale per 64 weights; with double quantization an
    8-bit scale, and a float32 scale per 256 of these (Dettmers et al. 2023).

    Args:
        setup: the configuration.
        shards: processes across which the 4-bit weights, but not the scales, are
            sharded.
    """
    if setup.lora is None:
        return _WIDTH * (all_parameters(setup.shape) - trained_parameters(setup))
    packed = 0.5 / shards
    packed += ((1 + 4 / 256) if setup.quantization.double_quant else 4) / 64
    width = packed if setup.is_packed else _WIDTH
    shape = setup.shape
    return shape.linear_parameters * width + shape.other_parameters * _WIDTH


def all_parameters(shape: Shape) -> int:
    """Number of parameters of the base."""
    return shape.linear_parameters + shape.other_parameters


def trained_parameters(setup: Setup) -> int:
    """Number of trained parameters: of all adapters, or, in full fine-tuning, of all
    layers that are not frozen."""
    if setup.lora is None:
        shape, frozen = setup.shape, setup.adapter.freeze_layers
        frozen_table = shape.table if frozen and not shape.tied else 0
        layer = shape.linear_parameters // shape.layers + 2 * shape.hidden
        return all_parameters(shape) - frozen * layer - frozen_table
    return setup.trained_layers * sum(
        setup.rank * (inputs + outputs) + outputs * setup.has_dora
        for group in setup.groups()
        for inputs, outputs in group
    )


def offloaded_bytes(setup: Setup, batch: BatchShape) -> float:
    """Bytes of activations that are offloaded to host memory until the backward
    pass."""
    return batch.tokens * setup.trained_layers * _offloaded_features(setup)


def _offloaded_features(setup: Setup) -> float:
    """Offloaded bytes per token and layer: its input; with swap also queries, keys,
    values and the attention output."""
    shape, keep = setup.shape, setup.train.gradient_checkpointing
    states = 2 * shape.queries + 2 * shape.keys
    features = {"offload": shape.hidden, "swap": shape.hidden + states}
    return _WIDTH * float(features.get(str(keep), 0))


def _peak_of_full(setup: Setup, batch: BatchShape) -> Memory:
    """Peak memory of full fine-tuning: weights in float32, with 16-bit copies made by
    autocast.

    While gradients are allocated, kept activations are freed, so with one micro-batch
    per step the peak is at the start or at the end of the backward pass. With several,
    the gradients of the first micro-batch exist during the others.
    """
    shape, train = setup.shape, setup.train
    trained, keep = trained_parameters(setup), bool(train.gradient_checkpointing)
    layer = 28 * shape.hidden + 8 * shape.intermediate
    layer += 8 * shape.queries + 4 * (shape.keys + shape.heads)
    kept: float = (
        batch.tokens * setup.trained_layers * (4 * shape.hidden if keep else layer)
    )
    if not keep:
        kept += _WIDTH * shape.linear_parameters * setup.trained_layers / shape.layers
    backward = batch.tokens * (16 * shape.hidden + 8 * shape.intermediate)
    backward += layer * batch.tokens * keep
    again = train.global_batch_size > train.micro_batch_size * train.num_processes
    head = _head_plain(shape, batch)
    ends: list[tuple[float, float]] = [
        (kept, max(head, backward) if again else head),
        (4 * trained, backward),
    ]
    held, working = ends[0] if again else max(ends, key=sum)
    return Memory(
        base=base_bytes(setup),
        adapter=trained * (4 + _OPTIMIZER[train.optimizer] + 4 * again),
        kept=held,
        working=working,
    )


def _adapter_bytes(setup: Setup) -> float:
    """Bytes of weights, gradients and optimizer state in float32. Fused layers also
    hold 16-bit copies: A twice, B once, and B once more within the outputs of its
    group."""
    held = trained_parameters(setup) * (8 + _OPTIMIZER[setup.train.optimizer])
    if not setup.fused:
        return held
    rank, copies = setup.rank, 0
    for group, names in zip(setup.groups(), GROUPS, strict=True):
        outputs = sum(setup.shape.linears[name][1] for name in names)
        copies += outputs * rank * len(group)
        copies += sum(rank * (2 * inputs + out) for inputs, out in group)
    return held + setup.trained_layers * copies * _WIDTH


def _kept_fused(setup: Setup) -> float:
    """Bytes per token that a fused layer keeps.

    In 16 bits: its input, the residual after attention, queries, keys, values,
    attention output, gate and up projections. In float32: the scales of both norms and
    attention's log-sum-exp. With separate adapters also the products of A.
    """
    shape = setup.shape
    features = (
        2 * shape.hidden + 2 * shape.queries + 2 * shape.keys + 2 * shape.intermediate
    )
    features += setup.separate_adapters * setup.rank * sum(map(len, setup.groups()))
    return _WIDTH * features + 4 * (2 + shape.heads)


def _kept_plain(setup: Setup) -> float:
    """Bytes per token that a layer of transformers and PEFT keeps under autocast.

    Each adapter keeps a 16-bit copy of its input, each norm a float32 copy. Dropout
    keeps a mask per adapter; DoRA its output, and its input once more.
    """
    shape = setup.shape
    read = 5 * shape.hidden + shape.queries + shape.intermediate
    written = sum(outputs for _, outputs in shape.sizes())
    found = 18 * shape.hidden + 8 * shape.intermediate
    found += 8 * shape.queries + 4 * shape.keys
    found += _WIDTH * setup.rank * sum(map(len, setup.groups()))
    if setup.has_dropout:
        found += read
    if setup.has_dora:
        found += 2 * read + 3 * written
    return found


def _head_fused(shape: Shape, batch: BatchShape) -> float:
    """Bytes of the last layer's output, its gradient, and one chunk of logits."""
    at_once = min(batch.trained, _LOGITS // (_WIDTH * shape.vocabulary))
    states = 5 * _WIDTH * at_once * shape.hidden
    logits = _WIDTH * at_once * shape.vocabulary
    return 2 * _WIDTH * batch.tokens * shape.hidden + states + logits


def _head_plain(shape: Shape, batch: BatchShape) -> float:
    """Bytes of all logits, three times in float32 and once in 16 bits, and of the final
    norm."""
    logits = 14 * batch.trained * shape.vocabulary
    return logits + 14 * batch.tokens * shape.hidden


def _workspace(setup: Setup) -> float:
    """Bytes of the largest group of weights that is dequantized at a time."""
    if not setup.is_packed:
        return 0.0
    linears = setup.shape.linears
    parts = GROUPS if setup.fused else tuple((name,) for name in linears)
    sizes = [sum(math.prod(linears[name]) for name in part) for part in parts]
    # PEFT's DoRA computes the column norms of W + BA in float32.
    gathered = max(map(math.prod, linears.values())) / 2 if setup.shards > 1 else 0
    return max(sizes) * (_WIDTH + 16 * setup.has_dora) + gathered
