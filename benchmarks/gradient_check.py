"""Cost and findings of the gradient check on a GPU, with random weights of real shapes.

    python benchmarks/gradient_check.py --shape mistral-7b-v0.3 qwen2.5-7b-instruct

Needs a CUDA GPU. For each setting of gradient checkpointing, and for plain layers:
seconds of the check, the largest relative error among all gradients, and peak memory,
with that of a training step. Then faults are planted, one at a time, and the check must
find each.
"""

import argparse
import gc
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from random_base import SHAPES, make_random_base
from training_speed import (
    KEEPS,
    make_adapter,
    make_documents,
    make_quantization,
    make_train,
)

from graft.config import AdapterConfig, FullConfig, QuantizationConfig
from graft.errors import ModelError
from graft.training.batches import PackedDocuments
from graft.training.forward import PreparedModel, prepare
from graft.training.gradient_check import check_gradients

Setting = tuple[str, bool | str, AdapterConfig, QuantizationConfig]
DTYPE = torch.bfloat16
LENGTH, AT_ONCE = 2048, 4
LORA, NF4 = make_adapter(), make_quantization()
FULL = FullConfig(method="full", freeze_layers=0)
SETTINGS: dict[str, Setting] = {
    **{f"fused {name}": ("fused", keep, LORA, NF4) for name, keep in KEEPS.items()},
    "fused rslora": ("fused", False, make_adapter(rslora=True), NF4),
    "fused frozen": ("fused", False, make_adapter(freeze_layers=4), NF4),
    "plain": ("plain", False, LORA, NF4),
    "plain dora": ("plain", False, make_adapter(dora=True), NF4),
    "plain full": ("plain", False, FULL, make_quantization(method="none")),
}


def main() -> None:
    """Print a line for each setting, then one for each fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", nargs="+", default=["mistral-7b-v0.3"])
    parser.add_argument("--work", default="short")
    parser.add_argument("--layers", type=int, help="of the shape, all by default")
    parser.add_argument(
        "--settings", nargs="+", default=[*SETTINGS][:-2], choices=SETTINGS
    )
    args = parser.parse_args()
    for shape in args.shape:
        sizes = SHAPES[shape] | (
            {"num_hidden_layers": args.layers} if args.layers else {}
        )
        vocabulary = sizes["vocab_size"]
        tokens = AT_ONCE * LENGTH * 4
        documents = make_documents(args.work, tokens, vocabulary, 0, LENGTH, 0.5)
        print("| shape | layers | seconds | worst error | check GiB | step GiB |")
        print("|---|---|---|---|---|---|")
        for name in args.settings:
            prepared = make(sizes, *SETTINGS[name])
            step, _ = peak(partial(one_step, prepared, documents))
            memory, (seconds, worst) = peak(partial(check, prepared, documents))
            print(f"| {shape} | {name} | {seconds:.2f} | {worst:.4f} | {memory:.1f} "
                  f"| {step:.1f} |", flush=True)  # fmt: skip
            del prepared
    if args.layers:  # faults are planted in layers up to the tenth
        return
    prepared = make(sizes, *SETTINGS["fused all"])
    for name, plant in FAULTS.items():
        undo = plant(prepared.model)
        try:
            check(prepared, documents)
            print(f"NOT FOUND: {name}")
        except ModelError as error:
            print(f"found: {name}: {error.problem}")
        undo()


def make(
    sizes: dict[str, Any],
    kernels: str,
    keep: bool | str,
    adapter: AdapterConfig,
    stored: QuantizationConfig,
) -> PreparedModel:
    """A random base, prepared for training."""
    gc.collect()
    torch.cuda.empty_cache()
    base = make_random_base(sizes, stored, "cuda")
    return prepare(base, adapter, make_train(AT_ONCE, 1, kernels, keep), DTYPE)


def peak(work: Callable[[], Any]) -> tuple[float, Any]:
    """Peak of allocated GiB, and the result of the work."""
    torch.cuda.reset_peak_memory_stats()
    found = work()
    return torch.cuda.max_memory_allocated() / 2**30, found


def weights_of(prepared: PreparedModel) -> dict[str, torch.Tensor]:
    """The trained weights by name."""
    named = prepared.model.named_parameters()
    return {name: weight for name, weight in named if weight.requires_grad}


def one_step(prepared: PreparedModel, documents: PackedDocuments) -> None:
    """Forward and backward pass of a micro-batch."""
    prepared.forward(documents.batch(range(AT_ONCE), "cuda")).backward()
    for weight in weights_of(prepared).values():
        weight.grad = None


def check(prepared: PreparedModel, documents: PackedDocuments) -> tuple[float, float]:
    """Seconds, and the largest relative error."""
    torch.cuda.synchronize()
    start = time.perf_counter()
    found = check_gradients(
        prepared.model,
        prepared.forward,
        documents,
        range(AT_ONCE),
        weights_of(prepared),
        DTYPE,
        "benchmark",
    )
    torch.cuda.synchronize()
    return time.perf_counter() - start, found.worst


def fused_of(model: Any, number: int) -> Any:
    """The fused layer of a decoder layer."""
    return model.get_base_model().model.layers[number].forward.args[0]


def drop_adapter(model: Any) -> Callable[[], None]:
    """Ignore the adapter of the value projection."""
    projection = fused_of(model, 3)._qkv  # pylint: disable=protected-access
    scales = projection._scales  # pylint: disable=protected-access
    before = list(scales)
    scales[2] = 0.0
    return lambda: scales.__setitem__(slice(None), before)


def scale_backward(model: Any) -> Callable[[], None]:
    """Multiply the gradient of a layer's input by 1.1."""
    fused = fused_of(model, 5)
    backward = fused.backward

    def scaled(*given: Any, **named: Any) -> Any:
        to_input, found = backward(*given, **named)
        return to_input * 1.1, found

    fused.backward = scaled
    return lambda: delattr(fused, "backward")


def leak(model: Any) -> Callable[[], None]:
    """Let one layer attend over the whole packed row."""
    layer = model.get_base_model().model.layers[7]

    def whole(module: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        del module
        documents = kwargs["documents"]
        one = type(documents)(
            documents.starts[[0, -1]], int(documents.starts[-1]), documents.rows
        )
        return args, {**kwargs, "documents": one}

    return layer.register_forward_pre_hook(whole, with_kwargs=True).remove  # type: ignore[no-any-return]


def spoil_weight(model: Any) -> Callable[[], None]:
    """Give the fused layer another weight than the stored one."""
    layer = model.get_base_model().model.layers[9].self_attn.o_proj
    weight = layer.base_layer.weight
    before = weight.data
    weight.data = before.roll(1, 0)
    return lambda: setattr(weight, "data", before)


FAULTS = {
    "an adapter is ignored": drop_adapter,
    "a backward pass is scaled by 1.1": scale_backward,
    "documents attend to each other in one layer": leak,
    "a weight is stale": spoil_weight,
}


if __name__ == "__main__":
    main()
