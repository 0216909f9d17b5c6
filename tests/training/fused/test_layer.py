"""Fused layers against transformers and PEFT, in float64 on small models."""

from functools import partial
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    MistralConfig,
    Qwen2Config,
)

from graft.kernels import plain
from graft.training.attention import PACKED, lay_out, register_packed_attention
from graft.training.batches import MicroBatch
from graft.training.fused.install import install
from graft.training.fused.layer import Keep
from graft.training.losses import fused_loss, plain_loss

# PEFT 0.21 reads an attribute that transformers 5.23 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`")
SIZES = {
    "vocab_size": 101,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
SOME = ["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"]
Found = tuple[float, dict[str, Tensor]]


def make_batch(weights: bool) -> MicroBatch:
    """Four documents, of which every second token carries loss."""
    lengths = [7, 12, 3, 20]
    ids = torch.randint(0, 101, (1, sum(lengths)))
    positions = torch.cat([torch.arange(length) for length in lengths])
    predicts = torch.arange(0, sum(lengths) - 1, 2)
    return MicroBatch(
        ids,
        positions[None],
        lay_out(lengths, "cpu"),
        predicts,
        ids[0, predicts + 1],
        torch.rand(len(predicts)) if weights else None,
        1.0,
        (),
    )


def make_model(config: Any, **changes: Any) -> Any:
    """A model with an adapter whose two halves are both random, in float64."""
    register_packed_attention()
    base = AutoModelForCausalLM.from_config(
        config(**SIZES), dtype=torch.float64, attn_implementation=PACKED
    )
    base.config.use_cache = False
    base.requires_grad_(False)
    for weight in base.parameters():
        weight.data += 0.02 * torch.randn_like(weight)
    values = {"r": 4, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
    tuned = get_peft_model(base, LoraConfig(**values | changes)).double()
    for weight in tuned.parameters():
        if weight.requires_grad:
            torch.nn.init.normal_(weight, std=0.1)
    return tuned.train()


def gradients(model: Any, forward: Any, batch: MicroBatch) -> Found:
    """The loss, and the gradient of each weight."""
    model.zero_grad()
    loss = forward(batch)
    (loss / 3).backward()
    named = model.named_parameters()
    return loss.item(), {n: w.grad.clone() for n, w in named if w.requires_grad}


def assert_same(one: Found, other: Found) -> None:
    # transformers computes norms in float32 whatever the model is.
    assert one[0] == pytest.approx(other[0], rel=1e-6)
    assert one[1].keys() == other[1].keys()
    for name, gradient in one[1].items():
        assert gradient.abs().max() > 0, name
        assert (gradient - other[1][name]).norm() < 2e-6 * gradient.norm(), name


@pytest.mark.parametrize("keep", ["all", "attention", "attended", "input"])
@pytest.mark.parametrize("config", [LlamaConfig, MistralConfig, Qwen2Config])
def test_loss_and_gradients_are_those_of_transformers_and_peft(
    config: Any, keep: Keep
) -> None:
    torch.manual_seed(0)
    batch, model = make_batch(weights=keep == "all"), make_model(config)
    expected = gradients(model, partial(plain_loss, model, torch.float32), batch)
    install(model, torch.float64, keep, plain)
    assert_same(gradients(model, partial(fused_loss, model, plain), batch), expected)


@pytest.mark.parametrize(
    "changes",
    [{"target_modules": SOME}, {"use_rslora": True, "lora_alpha": 3}, {"bias": "none"}],
)
def test_adapters_may_be_on_some_layers_and_have_any_scale(changes: Any) -> None:
    torch.manual_seed(1)
    batch, model = make_batch(weights=False), make_model(Qwen2Config, **changes)
    expected = gradients(model, partial(plain_loss, model, torch.float32), batch)
    install(model, torch.float64, "all", plain)
    assert_same(gradients(model, partial(fused_loss, model, plain), batch), expected)


@pytest.mark.parametrize("keep", ["attention", "attended", "input"])
def test_recomputation_uses_the_same_dropout_masks(keep: Keep) -> None:
    batch, found = make_batch(weights=False), []
    for kept in ("all", keep):
        torch.manual_seed(2)
        model = make_model(MistralConfig, lora_dropout=0.3)
        install(model, torch.float64, kept, plain)
        torch.manual_seed(3)
        found.append(gradients(model, partial(fused_loss, model, plain), batch))
    assert_same(found[0], found[1])


def test_the_next_step_uses_changed_weights() -> None:
    torch.manual_seed(6)
    batch, model = make_batch(weights=False), make_model(LlamaConfig)
    install(model, torch.float64, "all", plain)
    forward = partial(fused_loss, model, plain)
    before = forward(batch).item()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight *= 1.1
    after = forward(batch).item()
    assert abs(after - before) > 1e-3
    fresh = partial(plain_loss, model, torch.float32)
    decoder = model.get_base_model().model
    for part in (*decoder.layers, decoder.norm):
        del part.forward
    assert fresh(batch).item() == pytest.approx(after, rel=1e-6)


class Stack:
    """An offloader that checks that tensors are fetched last in, first out."""

    def __init__(self) -> None:
        self.put_away: list[list[torch.Tensor]] = []

    def offload(self, tensors: list[torch.Tensor]) -> int:
        self.put_away.append([tensor.clone() for tensor in tensors])
        return len(self.put_away)

    def fetch(self, put: int) -> list[torch.Tensor]:
        assert put == len(self.put_away)
        return self.put_away.pop()


@pytest.mark.parametrize("keep", ["input", "attended"])
def test_offloading_changes_no_gradient(keep: Any) -> None:
    batch, found, pile = make_batch(weights=False), [], Stack()
    for offloader in (None, pile):
        torch.manual_seed(2)
        model = make_model(MistralConfig)
        install(model, torch.float64, keep, plain, offloader)  # type: ignore[arg-type]
        found.append(gradients(model, partial(fused_loss, model, plain), batch))
    assert_same(found[0], found[1])
    assert not pile.put_away


def test_nothing_is_offloaded_without_gradients() -> None:
    batch, model, pile = make_batch(weights=False), make_model(LlamaConfig), Stack()
    install(model, torch.float64, "input", plain, pile)  # type: ignore[arg-type]
    with torch.no_grad():
        fused_loss(model, plain, batch)
    assert not pile.put_away
