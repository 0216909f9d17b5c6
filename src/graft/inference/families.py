"""Which models slots serve, and their shapes."""

from typing import Any


def is_supported(model: Any) -> bool:
    """Whether slots serve this model; others need padded batches."""
    owner = inner_model(model)
    if obstacle(owner.config):
        return False
    on_cuda, size = owner.device.type == "cuda", key_shape(owner.config)[2]
    # Triton's blocks are powers of two, and torch's packed attention takes 16 bits.
    return not on_cuda or (size in (16, 32, 64, 128, 256) and owner.dtype.itemsize == 2)


def obstacle(config: Any) -> str:
    """Why a model with this config cannot run with this attention; empty if it can."""
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    rope = getattr(config, "rope_parameters", None) or {}
    ropes = {str(part) for part in (rope.get("rope_type"), *rope.values())}
    problems = {
        "its layers are not all attention": kinds
        - {"full_attention", "sliding_attention"},
        "scores are soft-capped": getattr(config, "attn_logit_softcapping", None),
        "attention has sinks": config.model_type == "gpt_oss",
        "layers share keys": getattr(config, "num_kv_shared_layers", 0),
        "it has an encoder": config.is_encoder_decoder,
        "its inputs are not text alone": config is not config.get_text_config(),
        "rotary angles depend on the longest row": ropes & {"dynamic", "longrope"},
        "keys are compressed": getattr(config, "kv_lora_rank", None),
    }
    return next((problem for problem, there in problems.items() if there), "")


def key_shape(config: Any) -> tuple[int, int, int]:
    """Layers, key heads and head size of a model with this config."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None)
    size = size or config.hidden_size // config.num_attention_heads
    return config.num_hidden_layers, heads, size


def inner_model(model: Any) -> Any:
    """transformers' model, in which PEFT's layers are."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model
