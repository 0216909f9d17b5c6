"""Unpacked 4-bit weights, and that what is called tuned has its adapter on."""

import copy
import warnings
from collections import defaultdict
from typing import Any

import pytest
import torch
from bitsandbytes.nn import Linear4bit, Params4bit

from graft.errors import RequestError
from graft.inference.adapters import switchable_adapters
from graft.inference.batching import run_requests
from graft.inference.generation import Decoding, complete
from graft.inference.requests import GenerationRequest
from graft.inference.runner import ModelRunner

END = 257
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


def with_adapter(base, std: float, **changes):
    import peft

    config = peft.LoraConfig(
        r=4, target_modules="all-linear", task_type="CAUSAL_LM", **changes
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
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


def test_packed_weights_stay_packed_on_request(base):
    inputs = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        expected = base(inputs).logits
    runner = ModelRunner(base, 1, 8, dense=False)
    with runner.session(base), torch.inference_mode():
        found = runner.score([[5, 6, 7]], None, torch.arange(3))
    torch.testing.assert_close(found, expected[0])


def names(owner) -> list[str] | None:
    return switchable_adapters(owner.get_base_model())


def test_tokens_switch_plain_adapters_and_no_others(model):
    tuned = with_adapter(model, std=0.5)
    assert names(tuned) == ["default"]
    tuned.merge_adapter()
    assert names(tuned) is None


@pytest.mark.parametrize("changes", [{"use_dora": True}, {"lora_bias": True}])
def test_other_adapters_run_as_peft_has_them(base, template, changes):
    tuned = with_adapter(base, std=0.5, **changes)
    assert names(tuned) is None
    assert complete(tuned, template, PROMPTS, DECODING).texts == plain(tuned, template)
    with tuned.disable_adapter():
        off = complete(tuned, template, PROMPTS, DECODING).texts
    assert off == plain(base, template)


def two_adapters(base):
    """Adapters `default` of rank 4 and `other` of rank 2, on fewer layers."""
    import peft

    tuned = with_adapter(base, std=0.5)
    few = peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj", "down_proj"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuned.add_adapter("other", few)
    for name, weight in tuned.named_parameters():
        if "lora_B.other" in name:
            weight.data.normal_(std=1.0)
    return tuned


def test_rows_with_different_adapters_share_steps_and_equal_their_own_model(
    base, template
):
    tuned = two_adapters(base)
    expected: dict[str | None, list[str]] = {None: plain(base, template)}
    for name in ("default", "other"):
        tuned.set_adapter(name)
        expected[name] = plain(tuned, template)
    assert len({tuple(texts) for texts in expected.values()}) == 3
    requests = [
        GenerationRequest((adapter, row), prompt, 16, adapter, frozenset({END}))
        for row, prompt in enumerate(PROMPTS)
        for adapter in expected
    ]
    found: dict[Any, list[int]] = defaultdict(list)
    for event in run_requests(tuned, requests, 5):
        found[event.key] += event.tokens
    for adapter, texts in expected.items():
        written = [found[adapter, row] for row in range(len(PROMPTS))]
        assert [template.decode(ids).strip() for ids in written] == texts


def test_an_adapter_that_does_not_exist_is_refused(base):
    request = GenerationRequest(0, [5, 6], 2, "missing")
    with pytest.raises(RequestError, match="adapter missing: rows of this model"):
        list(run_requests(base, [request], 1))
