"""How much GPU memory training takes at its peak.

Counted from what is stored and what the passes keep, in bytes of each token; tests hold
the counts to what layers really keep, docs/LOG.md the sums to measured peaks.
"""

import math
from dataclasses import dataclass

from graft.planning.setup import Load, Setup
from graft.planning.shapes import GROUPS, Shape

GIB = 2**30
_LOGITS = 2**28  # as graft.training.fused.loss makes at a time
_WIDTH = 2  # bytes of activations: 16 bits
_OPTIMIZER = {"adamw_torch_fused": 8.0, "adamw_8bit": 2.1, "paged_adamw_8bit": 0.0}
"""Bytes a trained weight. Paged states leave the GPU where they have to."""


@dataclass(frozen=True)
class Memory:
    """Bytes at the peak, by what holds them.

    Attributes:
        base: frozen weights.
        adapter: trained weights with gradients, optimizer and 16-bit copies.
        kept: between the passes.
        working: all else that the worst moment needs.
    """

    base: float
    adapter: float
    kept: float
    working: float

    @property
    def peak(self) -> float:
        """Sum."""
        return self.base + self.adapter + self.kept + self.working


def peak_memory(setup: Setup, load: Load) -> Memory:
    """Of one GPU that holds the whole model."""
    if setup.lora is None:
        return _peak_of_full(setup, load)
    shape, keep = setup.shape, setup.train.gradient_checkpointing
    whole = _kept_fused(setup) if setup.fused else _kept_plain(setup)
    wide = 2 * _WIDTH * shape.intermediate  # gates and ups
    of_layer = {False: whole, "selective": whole - wide}.get(
        keep, _WIDTH * shape.hidden
    )
    layers = setup.trained_layers  # what stands before them is forgotten at once
    kept = float(layers * of_layer)
    if keep == "offload":
        kept = min(2, layers) * of_layer  # at work, and on its way back
    elif keep == "swap":
        kept = _away(setup) + layers * 4 * (1 + shape.heads)
    head = _head_fused(shape, load) if setup.fused else _head_plain(shape, load)
    # Gradients of a layer's outcome and of its widest inner states, or of its norms.
    each = float(max(2 * (shape.hidden + shape.intermediate), 8 * shape.hidden))
    if not setup.fused:
        each += 4 * shape.intermediate
    if keep:
        each += wide if keep == "selective" else whole
    way_back = load.tokens * each
    return Memory(
        base=base_bytes(setup, setup.shards),
        adapter=_adapter_bytes(setup),
        kept=load.tokens * kept,
        working=max(head, way_back) + _scratch(setup),
    )


def base_bytes(setup: Setup, shards: int = 1) -> float:
    """Frozen weights: 4-bit ones with a scale for each 64, which is 8 bits with double
    quantization and a scale for each 256 of these (Dettmers et al. 2023).

    Args:
        setup: what is planned.
        shards: processes among which 4-bit weights are dealt out, but not their scales.
    """
    if setup.lora is None:
        return _WIDTH * (all_parameters(setup.shape) - trained_parameters(setup))
    packed = 0.5 / shards
    packed += ((1 + 4 / 256) if setup.quantization.double_quant else 4) / 64
    width = packed if setup.is_packed else _WIDTH
    shape = setup.shape
    return shape.linear_parameters * width + shape.other_parameters * _WIDTH


def all_parameters(shape: Shape) -> int:
    """Of the base."""
    return shape.linear_parameters + shape.other_parameters


def trained_parameters(setup: Setup) -> int:
    """Of all adapters, or of all that is not frozen."""
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


def away_bytes(setup: Setup, load: Load) -> float:
    """What waits in the machine's memory for the way back."""
    return load.tokens * setup.trained_layers * _away(setup)


def _away(setup: Setup) -> float:
    """Bytes a token and layer: its input; with swap also queries, keys, values and the
    outcome of attention."""
    shape, keep = setup.shape, setup.train.gradient_checkpointing
    states = 2 * shape.queries + 2 * shape.keys
    features = {"offload": shape.hidden, "swap": shape.hidden + states}
    return _WIDTH * float(features.get(str(keep), 0))


def _peak_of_full(setup: Setup, load: Load) -> Memory:
    """Where all weights are trained, in float32, and autocast makes 16-bit copies.

    Gradients come as what was kept goes, so a step's only micro-batch needs the most at
    one of its ends; a later one of the same step finds the gradients of the first.
    """
    shape, train = setup.shape, setup.train
    trained, keep = trained_parameters(setup), bool(train.gradient_checkpointing)
    layer = 28 * shape.hidden + 8 * shape.intermediate
    layer += 8 * shape.queries + 4 * (shape.keys + shape.heads)
    kept: float = (
        load.tokens * setup.trained_layers * (4 * shape.hidden if keep else layer)
    )
    if not keep:
        kept += _WIDTH * shape.linear_parameters * setup.trained_layers / shape.layers
    way_back = load.tokens * (16 * shape.hidden + 8 * shape.intermediate)
    way_back += layer * load.tokens * keep
    again = train.global_batch_size > train.micro_batch_size * train.num_processes
    head = _head_plain(shape, load)
    ends: list[tuple[float, float]] = [
        (kept, max(head, way_back) if again else head),
        (4 * trained, way_back),
    ]
    held, working = ends[0] if again else max(ends, key=sum)
    return Memory(
        base=base_bytes(setup),
        adapter=trained * (4 + _OPTIMIZER[train.optimizer] + 4 * again),
        kept=held,
        working=working,
    )


def _adapter_bytes(setup: Setup) -> float:
    """In float32: weights, gradients, optimizer. Fused layers hold A twice and B once
    in 16 bits, and B once more at its place among the outputs of its group."""
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
    """Bytes a token that a layer keeps: its input, the sum after attention, queries,
    keys, values and outcome of attention, gates and ups; scales of both norms and
    logarithms of attention's sums in float32. Where adapters are apart also what they
    made of their inputs."""
    shape = setup.shape
    features = (
        2 * shape.hidden + 2 * shape.queries + 2 * shape.keys + 2 * shape.intermediate
    )
    features += setup.is_apart * setup.rank * sum(map(len, setup.groups()))
    return _WIDTH * features + 4 * (2 + shape.heads)


def _kept_plain(setup: Setup) -> float:
    """The same of transformers' and PEFT's modules under autocast: each adapter keeps a
    copy of its input in 16 bits, each norm one in float32. Dropout keeps a mask for
    each adapter; DoRA its outcome, and its input once more."""
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


def _head_fused(shape: Shape, load: Load) -> float:
    """The last layer's output, its gradient, and some logits at a time."""
    at_once = min(load.learned, _LOGITS // (_WIDTH * shape.vocabulary))
    states = 5 * _WIDTH * at_once * shape.hidden
    logits = _WIDTH * at_once * shape.vocabulary
    return 2 * _WIDTH * load.tokens * shape.hidden + states + logits


def _head_plain(shape: Shape, load: Load) -> float:
    """All logits, thrice in float32 and once in 16 bits; the last norm's states."""
    logits = 14 * load.learned * shape.vocabulary
    return logits + 14 * load.tokens * shape.hidden


def _scratch(setup: Setup) -> float:
    """The largest weights that are unpacked at a time."""
    if not setup.is_packed:
        return 0.0
    linears = setup.shape.linears
    parts = GROUPS if setup.fused else tuple((name,) for name in linears)
    sizes = [sum(math.prod(linears[name]) for name in part) for part in parts]
    # PEFT's DoRA takes the lengths of W + BA, which it makes in float32.
    gathered = max(map(math.prod, linears.values())) / 2 if setup.shards > 1 else 0
    return max(sizes) * (_WIDTH + 16 * setup.has_dora) + gathered
