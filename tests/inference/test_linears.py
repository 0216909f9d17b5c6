"""Unpacked 4-bit weights, and that what is called tuned has its adapter on."""

import copy
import warnings

import pytest
import torch
from bitsandbytes.nn import Linear4bit, Params4bit

from graft.inference.batching import release
from graft.inference.generation import Decoding, complete
from graft.inference.linears import (
    InferenceLinears,
    LowRank,
    norm_in_one_kernel,
    refresh,
)

PROMPTS = [list(f"{'x' * (n % 5)} prompt {n}:".encode()) for n in range(9)]
DECODING = Decoding(max_new_tokens=16, batch_size=4)


@pytest.fixture(scope="module")
def base(model):
    """The random model with 4-bit linear layers."""
    packed = copy.deepcopy(model)
    for name, module in list(packed.named_modules()):
        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            linear = Linear4bit(
                module.in_features,
                module.out_features,
                bias=False,
                compute_dtype=torch.float32,
            )
            linear.support_avx512bf16_for_cpu = False
            linear.weight = Params4bit(
                module.weight.data, requires_grad=False, quant_type="nf4"
            ).to("cpu")
            packed.set_submodule(name, linear)
    return packed


def with_adapter(base, std: float):
    import peft

    config = peft.LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        tuned = peft.get_peft_model(copy.deepcopy(base), config).eval()
    torch.manual_seed(1)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=std)
    return tuned


def plain(model, template) -> list[str]:
    """Greedy texts of `generate`, one prompt at a time."""
    texts = []
    for prompt in PROMPTS:
        ids = torch.tensor([prompt])
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=16,
            do_sample=False,
        )
        texts.append(template.decode(out[0, len(prompt) :].tolist()).strip())
    return texts


def test_unpacked_weights_write_what_4_bit_weights_write(base, template):
    assert complete(base, template, PROMPTS, DECODING).texts == plain(base, template)


def test_a_new_adapter_on_4_bit_weights_is_on(base, template):
    tuned = with_adapter(base, std=0.5)
    expected = plain(tuned, template)
    assert complete(tuned, template, PROMPTS, DECODING).texts == expected
    assert expected != plain(base, template)


def test_an_adapter_of_zeros_or_switched_off_gives_the_bases_texts(base, template):
    expected = complete(base, template, PROMPTS, DECODING).texts
    tuned = with_adapter(base, std=0.5)
    on = complete(tuned, template, PROMPTS, DECODING).texts
    with tuned.disable_adapter():
        off = complete(tuned, template, PROMPTS, DECODING).texts
    again = complete(tuned, template, PROMPTS, DECODING).texts
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            weight.data.zero_()
    zeroed = complete(tuned, template, PROMPTS, DECODING).texts
    assert on == again != expected
    assert off == zeroed == expected


def test_a_changed_weight_of_an_adapter_changes_the_texts(base, template):
    tuned = with_adapter(base, std=0.5)
    before = complete(tuned, template, PROMPTS, DECODING).texts
    weight = next(w for name, w in tuned.named_parameters() if "lora_B" in name)
    weight.data.normal_(std=5.0)
    assert complete(tuned, template, PROMPTS, DECODING).texts != before


def test_the_adapter_in_one_product_gives_pefts_outputs(base):
    tuned = with_adapter(base, std=0.5)
    module = tuned.get_base_model().model.layers[0].mlp.gate_proj
    x = torch.randn(2, 3, 32)
    low = LowRank(module, "default", torch.float32)
    refresh([low])
    torch.testing.assert_close(low.forward(x), module(x))
    module.lora_B["default"].weight.data.mul_(-2)
    refresh([low])
    torch.testing.assert_close(low.forward(x), module(x))


def test_packed_weights_stay_as_they_are_on_request(base):
    with InferenceLinears(base, dense=False).installed(base):
        assert not any("forward" in vars(module) for module in base.modules())
    release(base)


def test_a_norm_in_one_kernel_gives_the_modules_outputs(model):
    norm = copy.deepcopy(model.model.norm)
    norm.weight.data.normal_()
    x = torch.randn(2, 3, 32)
    torch.testing.assert_close(norm_in_one_kernel(norm, x), norm(x))
