from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from graft.errors import ModelError
from graft.training.attention import PACKED, register_packed_attention
from graft.training.isolation import check_isolation

SMALL: dict[str, Any] = {
    "vocab_size": 128,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "initializer_range": 0.2,
    "pad_token_id": 0,
}
GPT2 = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 128}
NO_DROPOUT = {"attn_pdrop": 0.0}
OPT = {"ffn_dim": 128, "word_embed_proj_dim": 64}


def make(kind: str, **changes: Any) -> Any:
    """A random model of a family, in training mode."""
    register_packed_attention()
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **SMALL | changes)
    model = AutoModelForCausalLM.from_config(
        config, dtype=torch.float32, attn_implementation=PACKED
    )
    return model.train()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("llama", {}),
        ("mistral", {}),
        ("qwen2", {}),
        ("qwen3", {"head_dim": 16}),
        ("gemma", {"head_dim": 16}),
        ("phi3", {}),
        ("gpt_neox", {}),
        ("gpt2", GPT2 | NO_DROPOUT),
    ],
)
def test_these_families_isolate_documents(
    kind: str, changes: dict[str, Any], dtype: torch.dtype
) -> None:
    check_isolation(make(kind, **changes), dtype)


@pytest.mark.parametrize(
    ("kind", "changes", "problem"),
    [
        ("bloom", {}, "a token attends to later tokens"),
        ("opt", OPT, "a token attends to later tokens"),
        ("gpt2", GPT2, "no attention dropout"),
        ("gemma2", {"head_dim": 16, "sliding_window": 64}, "supports no soft-capping"),
        ("stablelm", {}, "missing 1 required keyword-only argument: 'documents'"),
    ],
)
def test_a_family_that_does_not_isolate_documents_is_refused(
    kind: str, changes: dict[str, Any], problem: str
) -> None:
    model = make(kind, **changes)
    with pytest.raises(ModelError, match=problem):
        check_isolation(model, torch.float32)


def test_dropout_is_restored() -> None:
    model = make("gpt2", **GPT2 | NO_DROPOUT)
    model.transformer.drop.training = False
    check_isolation(model, torch.float32)
    assert not model.transformer.drop.training
    assert model.transformer.h[0].mlp.dropout.training
