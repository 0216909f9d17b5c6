"""Operations and duration of a training step, and its share of the GPU's peak.

Matrix products run at a share of the GPU's peak, everything else at a share of its
memory bandwidth. The shares were fitted on one H200 (docs/LOG.md); other GPUs are
assumed to reach the same shares of their data sheets.
"""

from dataclasses import dataclass

from graft.hardware.gpus import GpuSpec
from graft.planning.memory import trained_parameters
from graft.planning.setup import BatchShape, Setup

_PRODUCTS = 0.71  # of the peak: 700 TFLOP/s on an H200
_THIN_PRODUCTS = 0.3  # low-rank products of adapters
_ATTENTION = 0.36
_TRAFFIC = 0.65
_UNPACKING = 0.33
_PLAIN = 3.4  # traffic of transformers' and PEFT's modules, relative to fused layers
_LENGTHS = 140  # bytes per weight and pass for DoRA's column norms
_UPDATE = {"adamw_torch_fused": 40, "adamw_8bit": 110, "paged_adamw_8bit": 110}
"""Bytes moved per trained weight and optimizer step."""
_CASTS = 70
"""Bytes moved per trained weight and pass: its 16-bit copy and its gradient."""
_TILE = 600  # tokens; attention on shorter documents is not faster
_FIXED = 80e-6  # seconds per linear layer with an adapter, for any number of tokens


@dataclass(frozen=True)
class Throughput:
    """Seconds per micro-batch, and tokens per second."""

    seconds: float
    tokens_per_s: float


def estimate_throughput(setup: Setup, batch: BatchShape, gpu: GpuSpec) -> Throughput:
    """Of one GPU."""
    limit, traffic = gpu.tflops * 1e12, gpu.gb_per_s * 1e9
    seconds = (
        matmul_flops(setup, batch) / (limit * _PRODUCTS)
        + _adapter_products(setup, batch) / (limit * _THIN_PRODUCTS)
        + _attention(setup, batch) / (limit * _ATTENTION)
        + (_moved(setup, batch) + _updated(setup)) / (traffic * _TRAFFIC)
        + _unpacked(setup) / (traffic * _UNPACKING)
        + _FIXED * setup.trained_layers * sum(map(len, setup.groups()))
    )
    return Throughput(seconds, batch.tokens / seconds)


def matmul_flops(setup: Setup, batch: BatchShape) -> float:
    """Floating-point operations of a micro-batch's matrix products with the base.

    Two per weight and token in the forward pass, two for the gradient of the input,
    two for recomputation, and two for the gradient of the weight if it is trained.
    """
    shape = setup.shape
    layers = 2 * batch.tokens * _passes(setup) * shape.linear_parameters
    return (
        layers + 4 * head_products(setup, batch) + weight_gradient_flops(setup, batch)
    )


def _backward_share(setup: Setup) -> float:
    """Share of the layers that have a backward pass."""
    return setup.trained_layers / setup.shape.layers


def _passes(setup: Setup) -> float:
    """How often a step uses each frozen weight."""
    return 1 + _backward_share(setup) + _recomputed(setup).weights


@dataclass(frozen=True)
class _Recomputed:
    """Shares of the forward pass that are recomputed."""

    weights: float = 0.0
    attention: float = 0.0
    traffic: float = 0.0


def _recomputed(setup: Setup) -> _Recomputed:
    shape, share = setup.shape, _backward_share(setup)
    inner = shape.hidden * shape.intermediate * shape.layers / shape.linear_parameters
    match setup.train.gradient_checkpointing:
        case False:
            return _Recomputed()
        case "selective":  # gate and up projections, and the norm before them
            return _Recomputed(2 * inner * share, 0.0, 0.2 * share)
        case "swap":  # also the output projection of attention
            out = shape.queries * shape.hidden * shape.layers / shape.linear_parameters
            return _Recomputed((2 * inner + out) * share, 0.0, 0.4 * share)
    # Fused layers do not recompute the last product, whose output is not needed.
    return _Recomputed((1 - inner * setup.fused) * share, share, share)


def _adapter_products(setup: Setup, batch: BatchShape) -> float:
    """Operations of adapters; only gradients if they are added to the weights."""
    rank = setup.rank
    inner = sum(
        rank * len(group) * (group[0][0] + sum(out for _, out in group))
        for group in setup.groups()
        if group
    )
    return (
        batch.tokens
        * setup.trained_layers
        * inner
        * (6 if setup.separate_adapters else 4)
    )


def _attention(setup: Setup, batch: BatchShape) -> float:
    """Operations of causal attention: half of all pairs, 2.5 times that backward."""
    pairs = batch.tokens * (batch.span + _TILE) / 2
    passes = 1 + 2.5 * _backward_share(setup) + _recomputed(setup).attention
    return 4 * setup.shape.queries * pairs * setup.shape.layers * passes


def _moved(setup: Setup, batch: BatchShape) -> float:
    """Bytes moved by norms, rotary positions, SwiGLU, residuals and adapters."""
    shape, share, again = (
        setup.shape,
        _backward_share(setup),
        _recomputed(setup).traffic,
    )
    forward = 16 * shape.hidden + 4 * (shape.queries + shape.keys)
    forward += 6 * shape.intermediate
    back = 20 * shape.hidden + 4 * (shape.queries + 2 * shape.keys)
    back += 12 * shape.intermediate
    for group in filter(None, setup.groups()):
        read, written = group[0][0], sum(outputs for _, outputs in group)
        back += 4 * (read + written)
        if setup.separate_adapters:
            forward += 2 * read + 6 * written
            back += 4 * read
        if setup.has_dropout:
            forward += 4 * read
            back += 12 * read
    passes = forward * (1 + again) + share * back
    moved = batch.tokens * shape.layers * passes * (1 if setup.fused else _PLAIN)
    lengths = setup.has_dora * _LENGTHS * shape.linear_parameters
    return moved + lengths * (share + again)


def _updated(setup: Setup) -> float:
    """Bytes moved by a micro-batch's share of the optimizer step, and by 16-bit
    copies."""
    train = setup.train
    at_once = train.micro_batch_size * train.num_processes
    passes = 1 + _recomputed(setup).weights if setup.lora is None else 0
    share = _UPDATE[train.optimizer] * at_once / train.global_batch_size
    return trained_parameters(setup) * (share + _CASTS * passes)


def _unpacked(setup: Setup) -> float:
    """Bytes moved to dequantize 4-bit weights, once per pass."""
    if not setup.is_packed:
        return 0.0
    return 2.56 * setup.shape.linear_parameters * _passes(setup)


def useful_flops(setup: Setup, batch: BatchShape) -> float:
    """Operations of the matrix products that a micro-batch requires.

    4 per weight and token, for the output and the gradient of the input, and 2 more if
    the weight is trained. Recomputation is not counted, nor are attention and adapters
    (a few percent).

    Source: Chowdhery et al. 2022, arXiv:2204.02311, appendix B, without attention.
    """
    layers, head = batch.tokens * setup.shape.linear_parameters, head_products(
        setup, batch
    )
    return 4 * (layers + head) + weight_gradient_flops(setup, batch)


def weight_gradient_flops(setup: Setup, batch: BatchShape) -> float:
    """Operations for the gradients of trained weights of the base."""
    if setup.lora is not None:
        return 0.0
    share = setup.trained_layers / setup.shape.layers
    layers = batch.tokens * setup.shape.linear_parameters * share
    return 2 * (layers + head_products(setup, batch))


def head_products(setup: Setup, batch: BatchShape) -> int:
    """Products of the output layer, one per weight and trained token."""
    return batch.trained * setup.shape.table


@dataclass(frozen=True)
class MfuReference:
    """The reference for the model FLOPs utilisation of a training.

    `limit`: peak operations per second of all GPUs, from their data sheets.
    """

    setup: Setup
    limit: float

    def mfu(self, tokens: int, trained: int, seconds: float) -> float:
        """Model FLOPs utilisation: required operations / peak operations."""
        batch = BatchShape(tokens, trained, 1.0)
        return useful_flops(self.setup, batch) / (seconds * self.limit)
