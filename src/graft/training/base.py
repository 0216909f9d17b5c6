"""Loading a base model: pinned, checked, and quantized as the config says."""

import logging
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import torch

from graft.config import ModelConfig, QuantizationConfig
from graft.errors import ModelError
from graft.models.files import check_revision, model_folder
from graft.records import shorten
from graft.training.attention import PACKED, register_packed_attention

Attention = Literal["sdpa", "packed"]


def load_base(
    model: ModelConfig,
    quantization: QuantizationConfig,
    device: str,
    attention: Attention = "sdpa",
) -> Any:
    """The base model, frozen, on a device.

    Args:
        model: a local folder, whose content must have the digest `revision`; or a hub
            id, of which that revision is taken.
        quantization: how linear layers but the output layer are stored.
        device: `cpu` or `cuda`.
        attention: `packed` for training, where a row holds many documents.
    Returns: a transformers causal language model.
    Raises: ModelError if it is missing, changed, or cannot be loaded.
    """
    # Tells of a missing folder at once, instead of asking the hub for its name.
    model_folder(model.path, model.revision, ["config.json"])
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
            if checked:  # that the folder was changed says more than what failed
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
    """A causal language model, held against its config.json.

    Args:
        path, revision: a local folder and None, or a hub id and a commit.
        stored: transformers' description of a quantization, or None.
        device, attention: as of `load_base`.
        dtype: of weights that are not quantized.
    Raises: ModelError if it cannot be loaded, or is not whole.
    """
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging as transformers_logging

    # It offers a faster kernel that a download would bring; ours are all local.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    if not sys.stderr.isatty():
        transformers_logging.disable_progress_bar()
    if attention == "packed":
        register_packed_attention()
    where = f"{path}@{revision}" if revision else path
    try:
        model, told = AutoModelForCausalLM.from_pretrained(
            path,
            revision=revision,
            dtype=dtype_on(device, dtype),
            quantization_config=stored,
            device_map={"": device},
            attn_implementation=PACKED if attention == "packed" else attention,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told below, and not as a RuntimeError
        )
    except (
        OSError,
        KeyError,  # an attention that its family does not know
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
    check_loaded_weights(model, told, where)
    keep_trainable_form(model)
    model.config.use_cache = attention == "sdpa"
    return model


def dtype_on(device: str, name: str, capability: str | None = None) -> torch.dtype:
    """The type that a configured one is computed in on a device.

    Float32 holds the same values as both 16-bit types. On a CPU it is taken for
    float16, which torch 2.13 cannot mix with the bfloat16 of automatic casting; and for
    bfloat16 on a processor without AVX-512, where products in it take seven to nine
    times as long as in float32 (docs/LOG.md).

    Args:
        device: `cpu` or `cuda`.
        name: the configured type.
        capability: the processor's, as torch names it; None: that of this one.
    """
    if device == "cpu" and name != "float32":
        found = capability or torch.backends.cpu.get_cpu_capability()
        if name == "float16" or "AVX512" not in found:
            return torch.float32
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def check_loaded_weights(base: Any, told: Mapping[str, Any], where: str) -> None:
    """Hold the weights that were loaded against the shape that config.json gives.

    Args:
        base: the model.
        told: transformers' account of its loading.
        where: the model's name, for the error.
    Raises: ModelError if any are missing or of another shape: they would be random.
    """
    from bitsandbytes.nn import Linear4bit

    reshaped = [name for name, *_ in told["mismatched_keys"]]
    for name, module in base.named_modules():
        # transformers 5.23 does not see that a 4-bit weight has another shape.
        if isinstance(module, Linear4bit) and hasattr(module.weight, "quant_state"):
            if module.weight.quant_state.shape != (
                module.out_features,
                module.in_features,
            ):
                reshaped.append(f"{name}.weight")
    faults = {"no": sorted(told["missing_keys"]), "misshapen": sorted(reshaped)}
    for kind, names in faults.items():
        if names:
            raise ModelError(
                where,
                f"holds {kind} weights for {', '.join(names[:3])}"
                + f" and {len(names) - 3} more" * (len(names) > 3),
                expected="all weights of the shape that config.json gives",
                fix="get the model whole, or correct config.json (is "
                "tie_word_embeddings true, where there is no lm_head?)",
            )


def keep_trainable_form(base: Any) -> None:
    """Keep 4-bit layers from bitsandbytes' form for inference, on every processor.

    On a CPU with AVX-512-BF16 a `Linear4bit` of bitsandbytes 0.50 repacks its weight at
    the first forward pass in evaluation mode. Nothing flows back through that form, its
    scales are rounded to bfloat16, and whatever else reads the weight (DoRA, a merge,
    fused layers) reads it wrongly. No base takes it, for inference neither: a model
    then gives the same answers on every processor, and those that were trained.
    """
    from bitsandbytes.nn import Linear4bit

    for module in base.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


def quantization_of(quantization: QuantizationConfig, device: str) -> Any:
    """transformers' description of a quantization on a device; None for none."""
    if quantization.method == "none":
        return None
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=quantization.method,
        bnb_4bit_use_double_quant=quantization.double_quant,
        bnb_4bit_compute_dtype=dtype_on(device, quantization.compute_dtype),
    )
