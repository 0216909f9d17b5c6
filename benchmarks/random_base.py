"""Write a base model of a real shape with random weights.

It replaces a model that cannot be downloaded. Memory and speed are those of the real
one, but its output is noise.

    python benchmarks/random_base.py --shape mistral-7b-v0.3 --out /tmp/base
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graft.config import QuantizationConfig

# From the config.json files of mistralai/Mistral-7B-v0.3 (Instruct has the same) and
# v0.1, of Qwen/Qwen2.5-7B-Instruct and 72B-Instruct, and meta-llama/Llama-3.2-1B.
SHAPES: dict[str, dict[str, Any]] = {
    "mistral-7b-v0.3": {
        "model_type": "mistral",
        "vocab_size": 32768,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "max_position_embeddings": 32768,
        "rope_theta": 1_000_000.0,
        "sliding_window": None,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "mistral-7b-v0.1": {
        "model_type": "mistral",
        "vocab_size": 32000,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "max_position_embeddings": 32768,
        "rope_theta": 10_000.0,
        "sliding_window": 4096,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "qwen2.5-7b-instruct": {
        "model_type": "qwen2",
        "vocab_size": 152064,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "max_position_embeddings": 32768,
        "rope_theta": 1_000_000.0,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": False,
        "bos_token_id": 151643,
        "eos_token_id": 151645,
    },
    "qwen2.5-72b-instruct": {
        "model_type": "qwen2",
        "vocab_size": 152064,
        "hidden_size": 8192,
        "intermediate_size": 29568,
        "num_hidden_layers": 80,
        "num_attention_heads": 64,
        "num_key_value_heads": 8,
        "max_position_embeddings": 32768,
        "rope_theta": 1_000_000.0,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": False,
        "bos_token_id": 151643,
        "eos_token_id": 151645,
    },
    "llama-3.2-1b": {
        "model_type": "llama",
        "vocab_size": 128256,
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 64,
        "max_position_embeddings": 131072,
        "rope_theta": 500_000.0,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": True,
        "bos_token_id": 128000,
        "eos_token_id": 128001,
    },
    # Of no real model: for trials of benchmarks on a CPU.
    "mistral-tiny": {
        "model_type": "mistral",
        "vocab_size": 512,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 2048,
        "sliding_window": None,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
}


def write_random_base(shape: str, out: Path, seed: int, layers: int | None) -> int:
    """Write weights and config.json to `out`; returns the number of parameters."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    values = dict(SHAPES[shape])
    if layers is not None:
        values["num_hidden_layers"] = layers
    config = AutoConfig.for_model(**values)
    torch.manual_seed(seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(out, max_shard_size="4GB")
    return int(model.num_parameters())


def make_random_base(
    shape: Mapping[str, Any], quantization: QuantizationConfig, device: str
) -> Any:
    """A model that is created on the device, with linear layers in `quantization`."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from graft.training.attention import PACKED, register_packed_attention

    register_packed_attention()
    config = AutoConfig.for_model(**shape)
    with torch.device("meta"):
        base = AutoModelForCausalLM.from_config(
            config, dtype=torch.bfloat16, attn_implementation=PACKED
        )
    generator = torch.Generator(device).manual_seed(0)

    def draw(*sizes: int) -> Any:
        drawn = torch.randn(sizes, generator=generator, device=device)
        return (0.02 * drawn).to(torch.bfloat16)

    for name, module in list(base.named_modules()):
        if quantization.method == "none":
            break
        from bitsandbytes.nn import Linear4bit, Params4bit

        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            packed = Linear4bit(
                module.in_features,
                module.out_features,
                bias=module.bias is not None,
                compute_dtype=torch.bfloat16,
                device="meta",
            )
            weight = draw(module.out_features, module.in_features)
            packed.weight = Params4bit(
                weight,
                requires_grad=False,
                quant_type=quantization.method,
                compress_statistics=quantization.double_quant,
                module=packed,
            ).to(device)
            if module.bias is not None:
                packed.bias = torch.nn.Parameter(draw(module.out_features))
            base.set_submodule(name, packed)
    for name, weight in list(base.named_parameters()):
        if weight.is_meta:
            owner, _, key = name.rpartition(".")
            ones = weight.ndim == 1
            made = torch.ones(weight.shape).to(device, torch.bfloat16) if ones else None
            filled = draw(*weight.shape) if made is None else made
            setattr(base.get_submodule(owner), key, torch.nn.Parameter(filled))
    base.tie_weights()
    rotary = type(base.model.rotary_emb)
    base.model.rotary_emb = rotary(config=config).to(device)
    return base.requires_grad_(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="mistral-7b-v0.3")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--layers", type=int, help="fewer layers, to fit a machine")
    args = parser.parse_args()
    start = time.monotonic()
    count = write_random_base(args.shape, args.out, args.seed, args.layers)
    seconds = time.monotonic() - start
    print(f"{args.out}: {count:,} parameters of {args.shape}, {seconds:.0f} s")


if __name__ == "__main__":
    main()
