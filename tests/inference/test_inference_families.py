"""Families of transformers whose rows in slots equal `generate` alone."""

from typing import Any

import pytest
import torch
import transformers

from graft.inference.batching import run_requests
from graft.inference.families import is_supported, obstacle
from graft.inference.requests import GenerationRequest

PROMPTS = [[(11 * n + 3 * i) % 90 + 3 for i in range(1 + 4 * n)] for n in range(6)]
WINDOW = {"sliding_window": 6}
SUPPORTED = {
    "llama": {},
    "mistral": {"sliding_window": None},
    "mistral with a window": WINDOW,
    "qwen2": {},
    "qwen2 with a window": WINDOW
    | {"use_sliding_window": True, "max_window_layers": 1},
    "qwen3": {"head_dim": 8},
    "gemma": {"head_dim": 8},
    "gemma3_text": {"head_dim": 8, "query_pre_attn_scalar": 8}
    | WINDOW
    | {"layer_types": ["sliding_attention", "full_attention"]},
    "phi3": {"pad_token_id": 0},
    "olmo2": {},
    "granite": {},
    "starcoder2": WINDOW,
    "stablelm": {},
}


def make(kind: str, **changes: Any) -> Any:
    values = {
        "vocab_size": 100,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "initializer_range": 0.3,
        "max_position_embeddings": 128,
        "bos_token_id": None,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(kind.split()[0], **(values | changes))
    return transformers.AutoModelForCausalLM.from_config(config).eval()


@pytest.mark.parametrize("kind", SUPPORTED)
def test_rows_in_slots_equal_one_prompt_at_a_time(kind):
    model = make(kind, **SUPPORTED[kind])
    assert is_supported(model), obstacle(model.config)
    requests = [
        GenerationRequest(row, prompt, 12, stop_ids=frozenset({2}))
        for row, prompt in enumerate(PROMPTS)
    ]
    found: dict[Any, list[int]] = {row: [] for row in range(len(PROMPTS))}
    for event in run_requests(model, requests, 3):
        found[event.key] += event.tokens
    for row, prompt in enumerate(PROMPTS):
        ids = torch.tensor([prompt])
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=12,
            do_sample=False,
        )
        assert found[row] == out[0, len(prompt) :].tolist()
    assert len({tuple(tokens) for tokens in found.values()}) > 2


@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        ("gemma2", {"head_dim": 8}, "soft-capped"),
        ("gpt_oss", {"head_dim": 8, "num_local_experts": 2}, "sinks"),
        (
            "llama",
            {
                "rope_parameters": {
                    "rope_type": "dynamic",
                    "factor": 2.0,
                    "rope_theta": 10000.0,
                }
            },
            "longest row",
        ),
    ],
)
def test_attention_that_slots_do_not_compute_is_refused(kind, changes, why):
    config = transformers.AutoConfig.for_model(kind, hidden_size=32, **changes)
    assert why in obstacle(config)
