"""Estimated memory, compared with what layers keep and with measured peaks."""

from functools import partial
from typing import Any

import pytest
from model_shapes import LLAMA_1B, MISTRAL_7B, QWEN_7B
from small_setup import BATCH, FULL, make_setup

from graft.config import FullConfig
from graft.planning.memory import GIB, base_bytes, peak_memory, trained_parameters
from graft.planning.setup import BatchShape

INPUTS = {"gradient_checkpointing": True}
# Peaks that torch counted on one H200 (docs/LOG.md).
MEASURED: dict[str, tuple[float, Any]] = {
    "all kept": (51.8, {}),
    "inputs kept": (7.7, {"train": INPUTS, "tokens": 8192}),
    "offload": (6.0, {"train": {"gradient_checkpointing": "offload"}, "tokens": 8192}),
    "swap": (6.3, {"train": {"gradient_checkpointing": "swap"}, "tokens": 8192}),
    "rank 64": (18.8, {"adapter": {"rank": 64, "dropout": 0.05}, "tokens": 4096}),
    "16 bits": (37.9, {"quantization": {"method": "none"}, "tokens": 8192}),
    "half": (16.5, {"adapter": {"freeze_layers": 16}, "tokens": 8192}),
    "Qwen": (52.3, {"config": QWEN_7B}),
    "full": (38.7, {"config": LLAMA_1B, "full": FULL, "tokens": 8192}),
    "full, inputs": (
        21.4,
        {"config": LLAMA_1B, "full": FULL, "train": INPUTS, "tokens": 8192},
    ),
    "plain": (33.2, {"fused": False, "tokens": 4096}),
}


@pytest.mark.parametrize("name", MEASURED)
def test_planned_peaks_are_within_a_tenth_of_measured_ones(name: str) -> None:
    peak, changes = MEASURED[name]
    tokens = changes.get("tokens", 16384)
    sections = {key: value for key, value in changes.items() if key != "tokens"}
    found = peak_memory(
        make_setup(**sections), BatchShape(tokens, tokens // 2, 1300)
    ).peak
    assert found / GIB == pytest.approx(peak, rel=0.1)


def test_trained_parameters_are_those_of_peft() -> None:
    assert trained_parameters(make_setup()) == 41_943_040
    halves = make_setup(adapter={"freeze_layers": 16, "rank": 8})
    assert trained_parameters(halves) == 41_943_040 // 4


def test_full_finetuning_trains_all_parameters_that_are_not_frozen() -> None:
    whole, half = (
        trained_parameters(make_setup(full=FullConfig(method="full", freeze_layers=n)))
        for n in (0, 16)
    )
    assert whole == 7_248_023_552
    assert half == (whole - 2 * 32768 * 4096 - 4096) // 2 + 32768 * 4096 + 4096


def test_full_finetuning_accumulates_gradients_over_micro_batches() -> None:
    once, twice = (
        peak_memory(make_setup(full=FULL, train={"global_batch_size": size}), BATCH)
        for size in (8, 16)
    )
    assert twice.adapter - once.adapter == 4 * 7_248_023_552
    assert once.peak < twice.peak < once.peak + 4 * 7_248_023_552 + 1


def test_four_bits_take_less_with_double_quantization() -> None:
    sizes = [
        base_bytes(make_setup(quantization=changes))
        for changes in (
            {"double_quant": True},
            {"double_quant": False},
            {"method": "none"},
        )
    ]
    assert sizes == sorted(sizes)
    assert sizes[2] == 2 * 7_248_023_552


def test_each_choice_needs_less_memory_than_the_one_before() -> None:
    peaks = [
        peak_memory(make_setup(train={"gradient_checkpointing": keep}), BATCH).peak
        for keep in (False, "selective", True, "swap", "offload")
    ]
    assert peaks == sorted(peaks, reverse=True) and peaks[2] < peaks[0] / 4


SMALL = {
    **MISTRAL_7B,
    "vocab_size": 101,
    "hidden_size": 64,
    "intermediate_size": 192,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}


def note(sizes: dict[int, int], tensor: Any) -> Any:
    """Count a tensor's memory, once."""
    storage = tensor.untyped_storage()
    sizes[storage.data_ptr()] = storage.nbytes()
    return tensor


def kept_plainly(tuned: Any, batch: Any) -> int:
    """Bytes that autograd keeps, except for weights."""
    import torch

    from graft.training.losses import plain_loss

    sizes: dict[int, int] = {}
    with torch.autograd.graph.saved_tensors_hooks(partial(note, sizes), lambda t: t):
        loss = plain_loss(tuned, torch.bfloat16, batch)
    assert loss > 0
    weights = {w.untyped_storage().data_ptr() for w in tuned.parameters()}
    return sum(size for at, size in sizes.items() if at not in weights)


def kept_fused(tuned: Any, batch: Any) -> int:
    """Bytes that fused layers keep."""
    import torch

    from graft.kernels import plain
    from graft.training.fused import layer
    from graft.training.fused.install import install
    from graft.training.losses import fused_loss

    held: list[Any] = []
    select = layer.FusedLayer.select

    def keep(self: Any, kept: Any) -> Any:
        held.append(select(self, kept))
        return held[-1]

    sizes: dict[int, int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layer.FusedLayer, "select", keep)
        install(tuned, torch.bfloat16, "all", plain)
        loss = fused_loss(tuned, plain, batch)
    assert loss > 0
    for kept in held:
        states = (*kept.attended.states, kept.attended.out, *kept.inner)
        scales = (kept.scale, kept.middle_scale)
        for part in (kept.hidden, kept.middle, kept.gate_up, *scales, *states):
            if part is not None:
                note(sizes, part)
    return sum(sizes.values())


def kept_a_layer(kind: str, tokens: int) -> float:
    """Bytes per token that a layer keeps: those of three layers minus those of two."""
    import torch
    from transformers import AutoModelForCausalLM, MistralConfig

    from graft.training.attention import PACKED, lay_out, register_packed_attention
    from graft.training.batches import MicroBatch
    from graft.training.tuning import tune

    register_packed_attention()
    ids, places = torch.randint(0, 101, (1, tokens)), torch.arange(tokens)
    documents = lay_out([tokens], "cpu")
    fields = (ids, places[None], documents, places[:-1], ids[0, 1:], None, 1.0, ())
    found, setup = [], make_setup(SMALL, full=FULL if kind == "full" else None)
    for layers in (2, 3):
        base = AutoModelForCausalLM.from_config(
            MistralConfig(**{**SMALL, "num_hidden_layers": layers}),
            dtype=torch.bfloat16,
            attn_implementation=PACKED,
        )
        base.config.use_cache = False
        base.requires_grad_(False)
        tuned = tune(base, setup.adapter, setup.train, checkpointing=False)
        count = kept_fused if kind == "fused" else kept_plainly
        found.append(count(tuned, MicroBatch(*fields)))
    return (found[1] - found[0]) / tokens


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")
@pytest.mark.parametrize("kind", ["fused", "plain", "full"])
def test_layers_keep_the_bytes_that_are_counted(kind: str) -> None:
    tokens = 2048
    of_two, of_three = (
        peak_memory(
            make_setup(
                SMALL | {"num_hidden_layers": layers},
                fused=kind == "fused",
                full=FULL if kind == "full" else None,
                quantization={"method": "none"},
            ),
            BatchShape(tokens, 1, 1.0),
        ).kept
        for layers in (2, 3)
    )
    counted = (of_three - of_two) / tokens
    # 16-bit copies of weights add few bytes per token.
    assert kept_a_layer(kind, tokens) == pytest.approx(counted, rel=0.03)
