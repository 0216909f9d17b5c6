"""Errors in weights, the optimizer and validation are found in the first steps."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
import torch
from small_training import bf16, layer_of

from graft.errors import ModelError
from graft.training.loop import Loop


def test_a_weight_frozen_by_mistake_is_found(make_loop: Any) -> None:
    def kind(prepared: Any, *others: Any, **named: Any) -> Loop:
        for name, weight in prepared.model.named_parameters():
            weight.requires_grad_(weight.requires_grad and "k_proj.lora_A" not in name)
        return Loop(prepared, *others, **named)

    with pytest.raises(ModelError, match="k_proj.lora_A.* would not be trained"):
        make_loop(kind=kind).run()


def test_a_weight_that_the_optimizer_does_not_have_is_found(make_loop: Any) -> None:
    loop = make_loop()
    optimizer = loop._optimizer  # pylint: disable=protected-access
    optimizer.param_groups[0]["params"].pop()
    with pytest.raises(ModelError, match="down_proj.lora_B.* would not be trained"):
        loop.run()


def test_an_optimizer_that_changes_nothing_is_found(make_loop: Any) -> None:
    with pytest.raises(ModelError, match="left .*lora_.* unchanged"):
        make_loop(learning_rate=1e-30).run()


def test_a_frozen_weight_that_changes_is_found(make_loop: Any, params: Any) -> None:
    loop = make_loop(quantization=bf16(params))
    weight = layer_of(loop).self_attn.q_proj.base_layer.weight
    optimizer = loop._optimizer  # pylint: disable=protected-access
    optimizer.register_step_post_hook(lambda *_: weight.data[0].add_(1))
    with pytest.raises(ModelError, match="the first step changed .*q_proj"):
        loop.run()


def test_weights_repacked_for_inference_are_found(make_loop: Any, params: Any) -> None:
    """As bitsandbytes does on a processor with AVX-512-BF16; elsewhere the layout is
    the same, but no kernel reads it."""
    loop = make_loop(quantization=bf16(params))
    linear = layer_of(loop).self_attn.k_proj.base_layer
    linear.support_avx512bf16_for_cpu = True
    linear.eval()
    with torch.no_grad():
        linear(torch.ones(1, linear.in_features))
    assert linear.weight.quant_state.packing_format_for_cpu
    with pytest.raises(ModelError, match="k_proj.*is in bitsandbytes' layout"):
        loop.run()


class Evaluating(Loop):
    """Validates in evaluation mode, on a processor where weights are then repacked."""

    @contextmanager
    def without_dropout(self) -> Iterator[None]:
        for module in self.model.modules():
            module.support_avx512bf16_for_cpu = self.progress.step > 0
        self.model.eval()
        yield
        self.model.train()


def test_damage_by_validation_is_found_right_after_it(
    make_loop: Any, params: Any
) -> None:
    loop = make_loop(quantization=bf16(params), kind=Evaluating, evaluate_every=1)
    with pytest.raises(ModelError, match="after the validation of step 1"):
        loop.run()


class Dropping(Loop):
    """Leaves dropout on."""

    def without_dropout(self) -> AbstractContextManager[None]:
        return nullcontext()


def test_dropout_in_validation_is_found(make_loop: Any) -> None:
    with pytest.raises(ModelError, match="two validation passes differ"):
        make_loop(kind=Dropping).run()


def test_the_check_does_not_change_weights_and_gradients(make_loop: Any) -> None:
    loop = make_loop(max_steps=1)
    before = {name: w.detach().clone() for name, w in loop.weights.items()}
    loop._verification.begin()  # pylint: disable=protected-access
    for name, weight in loop.weights.items():
        assert torch.equal(weight, before[name])
        assert weight.grad is None
