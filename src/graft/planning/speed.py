"""How long a training step takes.

Products at a share of the card's limit, and everything else as traffic of its memory.
The shares are fitted on one H200 (docs/LOG.md); other cards are taken to reach the same
shares of their data sheets.
"""

from dataclasses import dataclass

from graft.hardware.gpus import Gpu
from graft.planning.memory import trained_parameters
from graft.planning.setup import Load, Setup
from graft.planning.work import head_work, own_gradients

_PRODUCTS = 0.71  # of the limit: 700 TFLOP/s on an H200
_THIN_PRODUCTS = 0.3  # of adapters
_ATTENTION = 0.36
_TRAFFIC = 0.65
_UNPACKING = 0.33
_PLAIN = 3.4  # times the traffic, of transformers' and PEFT's modules
_LENGTHS = 140  # bytes for each weight and pass, where DoRA takes their lengths
_UPDATE = {"adamw_torch_fused": 40, "adamw_8bit": 110, "paged_adamw_8bit": 110}
"""Bytes for each trained weight and step."""
_CASTS = 70
"""Bytes for each trained weight and pass: its 16-bit copy, and its gradient."""
_TILE = 600  # tokens: on short documents attention is as slow as on these
_FIXED = 80e-6  # seconds for each linear layer with an adapter, whatever the tokens


@dataclass(frozen=True)
class Pace:
    """Seconds of one micro-batch, and tokens a second."""

    seconds: float
    tokens_per_s: float


def pace(setup: Setup, load: Load, gpu: Gpu) -> Pace:
    """Of one GPU."""
    limit, traffic = gpu.tflops * 1e12, gpu.gb_per_s * 1e9
    seconds = (
        products(setup, load) / (limit * _PRODUCTS)
        + _adapter_products(setup, load) / (limit * _THIN_PRODUCTS)
        + _attention(setup, load) / (limit * _ATTENTION)
        + (_moved(setup, load) + _updated(setup)) / (traffic * _TRAFFIC)
        + _unpacked(setup) / (traffic * _UNPACKING)
        + _FIXED * setup.trained_layers * sum(map(len, setup.groups()))
    )
    return Pace(seconds, load.tokens / seconds)


def products(setup: Setup, load: Load) -> float:
    """Floating-point operations of a micro-batch's matrix products with frozen weights:
    two for each weight and token forward, two for the gradient of the input, and two
    where they are computed again; where weights are trained two for their own."""
    shape = setup.shape
    layers = 2 * load.tokens * _passes(setup) * shape.linear_parameters
    return layers + 4 * head_work(setup, load) + own_gradients(setup, load)


def _way_back(setup: Setup) -> float:
    """Share of the layers that have a backward pass."""
    return setup.trained_layers / setup.shape.layers


def _passes(setup: Setup) -> float:
    """How often a step takes the frozen weights."""
    return 1 + _way_back(setup) + _again(setup).weights


@dataclass(frozen=True)
class _Again:
    """Shares of the forward pass that are computed again."""

    weights: float = 0.0
    attention: float = 0.0
    traffic: float = 0.0


def _again(setup: Setup) -> _Again:
    shape, share = setup.shape, _way_back(setup)
    inner = shape.hidden * shape.intermediate * shape.layers / shape.linear_parameters
    match setup.train.gradient_checkpointing:
        case False:
            return _Again()
        case "selective":  # gates and ups, and the norm that they read
            return _Again(2 * inner * share, 0.0, 0.2 * share)
        case "swap":  # and attention's own projection
            out = shape.queries * shape.hidden * shape.layers / shape.linear_parameters
            return _Again((2 * inner + out) * share, 0.0, 0.4 * share)
    # Fused layers know the last product's outcome to be of no use.
    return _Again((1 - inner * setup.fused) * share, share, share)


def _adapter_products(setup: Setup, load: Load) -> float:
    """Operations of adapters: gradients alone where they are added to the weights."""
    rank = setup.rank
    inner = sum(
        rank * len(group) * (group[0][0] + sum(out for _, out in group))
        for group in setup.groups()
        if group
    )
    return load.tokens * setup.trained_layers * inner * (6 if setup.is_apart else 4)


def _attention(setup: Setup, load: Load) -> float:
    """Operations of causal attention: half of all pairs, and 2.5 times that back."""
    pairs = load.tokens * (load.span + _TILE) / 2
    passes = 1 + 2.5 * _way_back(setup) + _again(setup).attention
    return 4 * setup.shape.queries * pairs * setup.shape.layers * passes


def _moved(setup: Setup, load: Load) -> float:
    """Bytes that norms, turns, gates, residuals and adapters read and write."""
    shape, share, again = setup.shape, _way_back(setup), _again(setup).traffic
    forward = 16 * shape.hidden + 4 * (shape.queries + shape.keys)
    forward += 6 * shape.intermediate
    back = 20 * shape.hidden + 4 * (shape.queries + 2 * shape.keys)
    back += 12 * shape.intermediate
    for group in filter(None, setup.groups()):
        read, written = group[0][0], sum(outputs for _, outputs in group)
        back += 4 * (read + written)
        if setup.is_apart:
            forward += 2 * read + 6 * written
            back += 4 * read
        if setup.has_dropout:
            forward += 4 * read
            back += 12 * read
    passes = forward * (1 + again) + share * back
    moved = load.tokens * shape.layers * passes * (1 if setup.fused else _PLAIN)
    lengths = setup.has_dora * _LENGTHS * shape.linear_parameters
    return moved + lengths * (share + again)


def _updated(setup: Setup) -> float:
    """Bytes that a micro-batch's share of an update moves, and 16-bit copies."""
    train = setup.train
    at_once = train.micro_batch_size * train.num_processes
    passes = 1 + _again(setup).weights if setup.lora is None else 0
    share = _UPDATE[train.optimizer] * at_once / train.global_batch_size
    return trained_parameters(setup) * (share + _CASTS * passes)


def _unpacked(setup: Setup) -> float:
    """Bytes read and written to unpack 4-bit weights, once a pass."""
    if not setup.is_packed:
        return 0.0
    return 2.56 * setup.shape.linear_parameters * _passes(setup)
