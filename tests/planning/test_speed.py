from typing import Any

import pytest
from model_shapes import LLAMA_1B
from small_setup import BATCH, FULL, make_setup

from graft.hardware.gpus import GPUS, find_gpu
from graft.planning.setup import BatchShape
from graft.planning.speed import (
    MfuReference,
    estimate_throughput,
    matmul_flops,
    useful_flops,
)

# Tokens a second of the training loop on one H200 (docs/LOG.md).
MEASURED: dict[str, tuple[float, int, float, Any]] = {
    "short": (19_086, 16384, 106, {}),
    "long": (17_830, 16384, 1338, {}),
    "one row": (12_863, 2048, 1066, {}),
    "offload": (12_980, 8192, 1322, {"train": {"gradient_checkpointing": "offload"}}),
    "swap": (14_149, 8192, 1322, {"train": {"gradient_checkpointing": "swap"}}),
    "dropout": (13_308, 4096, 1123, {"adapter": {"rank": 64, "dropout": 0.05}}),
    "half frozen": (24_155, 8192, 1322, {"adapter": {"freeze_layers": 16}}),
    "books": (7_688, 32768, 18445, {"train": {"gradient_checkpointing": True}}),
    "full": (45_277, 8192, 1322, {"config": LLAMA_1B, "full": FULL}),
    "plain": (10_257, 4096, 1123, {"fused": False}),
}


@pytest.mark.parametrize("name", MEASURED)
def test_planned_speeds_are_within_a_fifth_of_measured_ones(name: str) -> None:
    speed, tokens, span, changes = MEASURED[name]
    found = estimate_throughput(
        make_setup(**changes), BatchShape(tokens, tokens // 2, span), GPUS["h200"]
    )
    assert found.tokens_per_s == pytest.approx(speed, rel=0.2)
    assert found.seconds * found.tokens_per_s == pytest.approx(tokens)


def test_a_frozen_weight_takes_four_operations_per_token() -> None:
    # 32 layers of 218 M weights, and 32,768 × 4,096 of the output layer.
    assert useful_flops(make_setup(), BATCH) == 4 * (
        16384 * 6_979_321_856 + 8192 * 32768 * 4096
    )
    assert matmul_flops(make_setup(), BATCH) == useful_flops(make_setup(), BATCH)


def test_recomputation_is_not_useful_work() -> None:
    again = make_setup(train={"gradient_checkpointing": True})
    assert matmul_flops(again, BATCH) > 1.3 * matmul_flops(make_setup(), BATCH)
    assert useful_flops(again, BATCH) == useful_flops(make_setup(), BATCH)


def test_a_faster_card_takes_less_time() -> None:
    times = [
        estimate_throughput(make_setup(), BATCH, GPUS[n]).seconds
        for n in ("b200", "h100", "l4")
    ]
    assert times == sorted(times)


def test_a_gpu_is_found_by_the_name_in_torch() -> None:
    found = find_gpu("NVIDIA H200", 139.8)
    assert found and found.tflops == GPUS["h200"].tflops
    assert find_gpu("Tesla K80", 11.0) is None


def test_mfu_is_useful_work_over_peak() -> None:
    setup = make_setup()
    seconds = useful_flops(setup, BATCH) / 2e15
    assert MfuReference(setup, 4e15).mfu(BATCH.tokens, BATCH.trained, seconds) == 0.5


def test_a_trained_weight_takes_six_operations_per_token() -> None:
    full = make_setup(full=FULL)
    assert useful_flops(full, BATCH) == 1.5 * useful_flops(make_setup(), BATCH)
