"""Loading a base model at a pinned revision, checked and quantized as configured."""

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import torch

from graft.config import ModelConfig, QuantizationConfig
from graft.errors import ModelError
from graft.models.files import check_revision, model_folder
from graft.models.lean_imports import import_model_libraries, lean_imports
from graft.records import shorten
from graft.training.attention import PACKED, register_packed_attention

Attention = Literal["sdpa", "packed"]


def load_base(
    model: ModelConfig,
    quantization: QuantizationConfig,
    device: str,
    attention: Attention = "sdpa",
) -> Any:
    """The frozen base model on a device.

    Args:
        model: a local folder, whose content must have the digest `revision`; or a Hub
            id, which is loaded at that revision.
        quantization: of all linear layers but the output layer.
        device: `cpu` or `cuda`.
        attention: `packed` for training, where a row holds many documents.
    Returns: a transformers causal language model.
    Raises: ModelError if it is missing, changed, or cannot be loaded.
    """
    # Fails at once for a missing folder, which would be looked up on the Hub.
    model_folder(model.path, model.revision, ["config.json"])
    import_model_libraries()
    local = Path(model.path).is_dir()
    revision = None if local else model.revision
    stored = quantization_of(quantization, device)
    with ThreadPoolExecutor(1) as beside:
        checked = beside.submit(check_revision, model) if local else None
        try:
            base = load_model(
                model.path, revision, stored, device, model.dtype, attention
            )
        finally:
            if checked:  # a changed folder explains more than the error it caused
                checked.result()
    return base.requires_grad_(False)


def load_model(
    path: str,
    revision: str | None,
    stored: Any,
    device: str,
    dtype: str,
    attention: Attention = "sdpa",
) -> Any:
    """A causal language model whose weights match its config.json.

    Args:
        path, revision: a local folder and None, or a Hub id and a commit.
        stored: transformers' quantization config, or None.
        device, attention: as in `load_base`.
        dtype: of weights that are not quantized.
    Raises: ModelError if it cannot be loaded, or weights are missing.
    """
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    import_model_libraries()
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging as transformers_logging

    if not sys.stderr.isatty():
        transformers_logging.disable_progress_bar()
    if attention == "packed":
        register_packed_attention()
    where = f"{path}@{revision}" if revision else path
    try:
        with lean_imports():
            model, loading = AutoModelForCausalLM.from_pretrained(
                path,
                revision=revision,
                dtype=dtype_on(device, dtype),
                quantization_config=stored,
                device_map={"": device},
                attn_implementation=PACKED if attention == "packed" else attention,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # reported below as a ModelError
            )
    except (
        OSError,
        KeyError,  # an attention that the family does not support
        ValueError,
        StrictDataclassError,
        SafetensorError,
    ) as error:
        raise ModelError(
            where,
            f"cannot be loaded: {shorten(error, 300)}",
            expected="a causal language model in safetensors",
            fix="check model.path and model.revision; a gated model needs HF_TOKEN",
        ) from error
    check_loaded_weights(model, loading, where)
    keep_trainable_form(model)
    model.config.use_cache = attention == "sdpa"
    return model


def dtype_on(device: str, name: str, capability: str | None = None) -> torch.dtype:
    """The dtype that a configured one is computed in on a device.

    Float32 represents all values of both 16-bit types. On a CPU it replaces float16,
    which torch 2.13 cannot mix with the bfloat16 of autocast, and bfloat16 on a
    processor without AVX-512, where bfloat16 matrix products take seven to nine times
    as long as float32 ones (docs/LOG.md).

    Args:
        device: `cpu` or `cuda`.
        name: the configured dtype.
        capability: of the processor, as torch names it; None: of this one.
    """
    if device == "cpu" and name != "float32":
        found = capability or torch.backends.cpu.get_cpu_capability()
        if name == "float16" or "AVX512" not in found:
            return torch.float32
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def check_loaded_weights(base: Any, loading: Mapping[str, Any], where: str) -> None:
    """Compare the loaded weights with the shapes that config.json implies.

    Args:
        base: the model.
        loading: transformers' loading info.
        where: the model's name, for the error.
    Raises: ModelError if weights are missing or have another shape: they would be
        randomly initialized.
    """
    from bitsandbytes.nn import Linear4bit

    reshaped = [name for name, *_ in loading["mismatched_keys"]]
    for name, module in base.named_modules():
        # transformers 5.23 does not compare the shapes of 4-bit weights.
        if isinstance(module, Linear4bit) and hasattr(module.weight, "quant_state"):
            if module.weight.quant_state.shape != (
                module.out_features,
                module.in_features,
            ):
                reshaped.append(f"{name}.weight")
    problems = {
        "has no weights for": sorted(loading["missing_keys"]),
        "has weights of the wrong shape for": sorted(reshaped),
    }
    for kind, names in problems.items():
        if names:
            raise ModelError(
                where,
                f"{kind} {', '.join(names[:3])}"
                + f" and {len(names) - 3} more" * (len(names) > 3),
                expected="all weights of the shape that config.json gives",
                fix="download the model again, or correct config.json (is "
                "tie_word_embeddings true, where there is no lm_head?)",
            )


def keep_trainable_form(base: Any) -> None:
    """Keep bitsandbytes from repacking 4-bit weights for CPU inference.

    On a CPU with AVX-512-BF16 a `Linear4bit` of bitsandbytes 0.50 repacks its weight at
    the first forward pass in evaluation mode. No gradient flows through that layout,
    its scales are rounded to bfloat16, and other readers of the weight (DoRA, a merge,
    fused layers) misread it. It is off for inference too, so that a model gives the
    same answers on every processor, and as it was trained.
    """
    from bitsandbytes.nn import Linear4bit

    for module in base.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


def quantization_of(quantization: QuantizationConfig, device: str) -> Any:
    """transformers' quantization config for a device; None: not quantized."""
    if quantization.method == "none":
        return None
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=quantization.method,
        bnb_4bit_use_double_quant=quantization.double_quant,
        bnb_4bit_compute_dtype=dtype_on(device, quantization.compute_dtype),
    )
