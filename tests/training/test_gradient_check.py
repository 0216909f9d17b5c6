"""Each planted error would otherwise go unnoticed until the end of training."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from small_training import bf16, layer_of, make_documents

from graft.config import FullConfig
from graft.errors import ModelError

FUSED = ["all", "attention", "attended", "input"]
FULL = FullConfig(method="full", freeze_layers=0)


def plant(layer: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Change the output of a module."""

    def hook(module: Any, inputs: Any, out: Any) -> Any:
        del module, inputs
        return (change(out[0]), *out[1:]) if isinstance(out, tuple) else change(out)

    layer.register_forward_hook(hook)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rslora": True},
        {"dora": True},
        {"freeze_layers": 1},
        {"target_modules": ["q_proj", "down_proj"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["none", "nf4"])
def test_every_kind_of_adapter_passes(
    make_loop: Any, params: Any, changes: dict[str, Any], method: str
) -> None:
    small = {"rank": 4, "alpha": 8.0, "dropout": 0.1} | changes
    adapter = params.adapter.model_copy(update=small)
    loop = make_loop(
        adapter=adapter,
        quantization=bf16(params, method),
        max_steps=3,
        evaluate_every=1,
    )
    assert loop.run().step == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"gradient_checkpointing": True},
        {"train": make_documents(40, packing=False)},
        {"adapter": FULL},
        {"adapter": FullConfig(method="full", freeze_layers=1)},
        {"optimizer": "adamw_8bit"},
        {"neftune_alpha": 5.0},
        *({"fused": keep} for keep in FUSED),
    ],
    ids=["recomputed", "unpacked", "full", "full above", "8 bits", "noise", *FUSED],
)
def test_every_training_method_passes(make_loop: Any, changes: dict[str, Any]) -> None:
    loop = make_loop(max_steps=3, evaluate_every=1, **changes)
    assert loop.run().step == 3


def detach(out: torch.Tensor) -> torch.Tensor:
    return out.detach().requires_grad_()


# pylint: disable-next=abstract-method  # autograd's interface
class Backward(torch.autograd.Function):
    """The identity, whose gradient is changed."""

    change: Callable[[torch.Tensor], torch.Tensor]

    @staticmethod
    # pylint: disable-next=arguments-differ
    def forward(ctx: Any, x: torch.Tensor, change: Any) -> torch.Tensor:
        ctx.change = change
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        return ctx.change(grads[0]), None


def scaled(out: torch.Tensor) -> torch.Tensor:
    return Backward.apply(out, lambda grad: grad * 1.1)


def transposed(out: torch.Tensor) -> torch.Tensor:
    def turn(grad: torch.Tensor) -> torch.Tensor:
        size = min(grad.shape[-2:])
        grad = grad.clone()
        grad[..., :size, :size] = grad[..., :size, :size].transpose(-1, -2).clone()
        return grad

    return Backward.apply(out, turn)


@pytest.mark.parametrize("change", [detach, scaled, transposed])
@pytest.mark.parametrize("place", ["layer", "k_proj", "down_proj"])
@pytest.mark.parametrize("method", ["none", "nf4"])
def test_a_wrong_backward_pass_is_found(
    make_loop: Any, params: Any, change: Any, place: str, method: str
) -> None:
    loop = make_loop(quantization=bf16(params, method))
    layer = layer_of(loop, 1)
    places = {
        "layer": layer,
        "k_proj": layer.self_attn.k_proj,
        "down_proj": layer.mlp.down_proj,
    }
    plant(places[place], change)
    with pytest.raises(ModelError, match="before the first step: .*layer"):
        loop.run()


@pytest.mark.parametrize("place", ["q_proj", "o_proj", "gate_proj"])
def test_an_adapter_that_is_ignored_is_found(make_loop: Any, place: str) -> None:
    loop = make_loop()
    layer = layer_of(loop)
    owner = layer.mlp if place == "gate_proj" else layer.self_attn
    linear = getattr(owner, place)
    linear.forward = linear.base_layer.forward
    with pytest.raises(ModelError, match="layer 0's output is wrong|" + place):
        loop.run()


def test_a_fused_layer_that_drops_an_adapter_is_found(make_loop: Any) -> None:
    loop = make_loop(fused="all")
    fused = layer_of(loop, 1).forward.args[0]
    projection = fused._qkv  # pylint: disable=protected-access
    projection._scales[0] = 0.0  # pylint: disable=protected-access
    with pytest.raises(ModelError, match="layer"):
        loop.run()


def test_attention_between_documents_is_found(make_loop: Any) -> None:
    loop = make_loop(fused="all")
    batch = loop._train.batch  # pylint: disable=protected-access

    def leaking(packs: Any, device: str) -> Any:
        found = batch(packs, device)
        starts = found.documents.starts[[0, -1]]
        num = int(starts[-1])
        rows = found.documents.rows[0]
        one = torch.arange(num)
        merged = replace(rows, gather=one[None], keep=one, scatter=one)
        return replace(
            found, documents=replace(found.documents, starts=starts, rows=(merged,))
        )

    loop._train.batch = leaking  # pylint: disable=protected-access
    with pytest.raises(ModelError, match="layer 1's output is wrong"):
        loop.run()


def test_a_loss_mask_off_by_one_is_found(make_loop: Any) -> None:
    loop = make_loop()
    batch = loop._train.batch  # pylint: disable=protected-access

    def shifted(packs: Any, device: str) -> Any:
        found = batch(packs, device)
        return replace(found, predicts=found.predicts + 1)

    loop._train.batch = shifted  # pylint: disable=protected-access
    with pytest.raises(ModelError, match="positions that carry loss"):
        loop.run()
