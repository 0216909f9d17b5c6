"""A random Mistral model of some kilobytes."""

from typing import Any


def small_mistral(vocab_size: int, head_dim: int = 16, **changes: Any) -> Any:
    """Two layers, always with the same weights; keywords change the configuration.

    Weights vary more than those of a model that is to be trained, so that what a
    random model generates does not repeat itself.
    """
    import torch
    from transformers import MistralConfig, MistralForCausalLM

    values = {
        "vocab_size": vocab_size,
        "hidden_size": 4 * head_dim,
        "intermediate_size": 8 * head_dim,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": head_dim,
        "initializer_range": 0.3,
        "sliding_window": None,
    }
    torch.manual_seed(0)
    return MistralForCausalLM(MistralConfig(**(values | changes)))
